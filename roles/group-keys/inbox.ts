/** The place where all messages and all news of groups come together, whichever way they came. */
import type { GktpEntry } from "../../documents/group-xml/index.ts";
import type { ClientKeys } from "../identity/load-keys.ts";
import type { Carrier, Tell } from "./events.ts";
import type { GroupKeyRing } from "./group-key-ring.ts";
import { type GmsIdentity, type TakeContext, type TakenMessage, takeMessage } from "./take-message.ts";

export interface InboxOptions extends Pick<TakeContext, "periodOverlap" | "tolerance"> {
  readonly ring: GroupKeyRing;
  /** Taken anew for each message, so that it follows the key periods. */
  readonly keys: () => ClientKeys;
  readonly gms: GmsIdentity;
  /** Groups that keys are expected of. */
  readonly groups: readonly string[] | "all";
  readonly now: () => number;
  readonly tell: Tell;
}

export class Inbox {
  readonly #options: InboxOptions;
  readonly #member = new Set<string>();

  constructor(options: InboxOptions) {
    this.#options = options;
  }

  /** Groups whose documents are of interest; of all groups those that are known so far. */
  get groups(): readonly string[] {
    const { groups } = this.#options;
    return groups === "all" ? [...new Set([...this.keyedGroups, ...this.#member])] : groups;
  }

  /** Groups that this GMS gave keys of. */
  get keyedGroups(): readonly string[] {
    const { ring, gms } = this.#options;
    const own = ring.keys().filter(({ key, gmsUri }) => key !== undefined && gmsUri === gms.uri);
    return [...new Set(own.flatMap(({ groups }) => groups))].filter((uri) => this.#isOfInterest(uri));
  }

  async takeAll(entries: readonly Pick<GktpEntry, "octets">[], carrier: Carrier): Promise<TakenMessage[]> {
    const taken: TakenMessage[] = [];
    for (const { octets } of entries) taken.push(await this.take(octets, carrier));
    return taken;
  }

  async take(octets: Uint8Array, carrier: Carrier): Promise<TakenMessage> {
    const taken = await this.#attempt(octets, carrier);
    this.#options.tell({ type: "message", carrier, taken });
    return taken;
  }

  async #attempt(octets: Uint8Array, carrier: Carrier): Promise<TakenMessage> {
    const { keys, now, ...context } = this.#options;
    try {
      const expectsGroup = (uri: string) => this.#isOfInterest(uri);
      // A document that is fetched comes from the GMS; a NOTIFY may have been put into the way of another one.
      const isPresent = carrier === "http";
      return await takeMessage(octets, { ...context, keys: keys(), expectsGroup, now: now(), isPresent });
    } catch (error) {
      // The user may not be provisioned yet.
      return { outcome: "failed", error };
    }
  }

  /** The document of a group is there for this user. */
  async present(groupUri: string): Promise<void> {
    if (this.#member.has(groupUri) || !this.#isOfInterest(groupUri)) return;
    await this.#options.ring.rejoin(groupUri, this.#options.gms.uri);
    this.#member.add(groupUri);
    this.#options.tell({ type: "member", groupUri });
  }

  /**
   * The document is gone, or this user may no longer read it: they are not a member, and lose their keys of the group.
   */
  async gone(groupUri: string): Promise<void> {
    const isNews = this.#member.delete(groupUri) || this.keyedGroups.includes(groupUri);
    if (!isNews) return;
    await this.#options.ring.leave(groupUri, this.#options.gms.uri);
    this.#options.tell({ type: "not-member", groupUri });
  }

  #isOfInterest(groupUri: string): boolean {
    const { groups } = this.#options;
    return groups === "all" || groups.includes(groupUri);
  }
}
