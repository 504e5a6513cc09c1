/**
 * MCData messages that have come, by who sent them: conversation and message ID stay the same for as long as a message is
 * sent again (TS 24.282 15.2.9, 15.2.10). In memory only, as are the CSKs under which they come.
 */
import { toHex } from "../../base/bytes.ts";
import { Recent } from "./recent.ts";

export interface MessageName {
  readonly conversationId: Uint8Array;
  readonly messageId: Uint8Array;
  /** The kind of a notification, which otherwise has the same IDs as the message that it is about. */
  readonly disposition?: number;
}

export interface SeenMessagesOptions {
  readonly senders: number;
  /** Messages of each. */
  readonly each: number;
}

export class SeenMessages {
  readonly #options: SeenMessagesOptions;
  /** The one that sent last is the last. */
  readonly #bySender = new Map<string, Recent>();

  constructor(options: SeenMessagesOptions) {
    this.#options = options;
  }

  /** False when it was there before. */
  enter(sender: string, name: MessageName, now: number): boolean {
    const { senders, each } = this.#options;
    const seen = this.#bySender.get(sender) ?? new Recent({ most: each });
    this.#bySender.delete(sender);
    this.#bySender.set(sender, seen);
    if (this.#bySender.size > senders) this.#bySender.delete(this.#bySender.keys().next().value!);
    const text = textOf(name);
    if (seen.has(text)) return false;
    seen.add(text, now);
    return true;
  }

  /** As if it had not come. */
  forget(sender: string, name: MessageName): void {
    this.#bySender.get(sender)?.remove(textOf(name));
  }
}

function textOf({ conversationId, messageId, disposition }: MessageName): string {
  return `${toHex(conversationId)} ${toHex(messageId)} ${disposition ?? ""}`;
}
