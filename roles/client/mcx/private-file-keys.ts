/** Keys of files that are for this user alone: each comes beside the notice of its file, and is gone once that is opened. */
import { MikeySakkeError } from "../../../base/errors.ts";
import { ntpFromUnixMs } from "../../../bindings/identity/ntp.ts";
import {
  DEFAULT_WINDOW_MS,
  type DeliveredKey,
  type KeyId,
  MemoryReceiverState,
} from "../../../bindings/index.ts";
import { openPck } from "../calls/private-call-key.ts";
import type { ReceivedFile } from "./file-types.ts";
import type { McxClientOptions } from "./options.ts";

/** Files that are told of and not opened yet; the oldest are given up. */
const MAX_KEYS = 256;
const SEEN = { maxMessages: 10_000, maxKeys: 10_000 };

export class PrivateFileKeys {
  readonly #options: Pick<McxClientOptions, "keys" | "now" | "tolerance">;
  readonly #state = new MemoryReceiverState(SEEN);
  /** By sender and message, the oldest first. */
  readonly #keys = new Map<string, DeliveredKey>();

  constructor(options: Pick<McxClientOptions, "keys" | "now" | "tolerance">) {
    this.#options = options;
  }

  /** @throws {MikeySakkeError} verification `MCDATA_REFUSED`: there is no key; as `openPck` */
  async take(received: ReceivedFile, mikey: Uint8Array | undefined): Promise<void> {
    const { from } = received;
    const { keys, now, tolerance } = this.#options;
    if (mikey === undefined) {
      throw new MikeySakkeError("verification", "MCDATA_REFUSED", `file of ${from}: it comes without a key`);
    }
    // A message that is older is refused for its T, so its record is needed no more.
    this.#state.prune(ntpFromUnixMs(now() - 2 * DEFAULT_WINDOW_MS));
    const opening = { caller: from, keys: keys(), state: this.#state, tolerance, now: now() };
    const { pck } = await openPck(mikey, opening);
    this.drop(received);
    this.#keys.set(nameOf(received), pck);
    const [oldest] = this.#keys.keys();
    if (this.#keys.size > MAX_KEYS) this.#drop(oldest!);
  }

  find(received: ReceivedFile, keyId: KeyId): DeliveredKey | undefined {
    const key = this.#keys.get(nameOf(received));
    return key?.keyId === keyId ? key : undefined;
  }

  drop(received: ReceivedFile): void {
    this.#drop(nameOf(received));
  }

  destroy(): void {
    for (const name of [...this.#keys.keys()]) this.#drop(name);
  }

  #drop(name: string): void {
    this.#keys.get(name)?.destroy();
    this.#keys.delete(name);
  }
}

/** An identifier that another sender has used leads to no key of theirs. */
function nameOf({ from, messageId }: ReceivedFile): string {
  return `${from} ${messageId}`;
}
