/**
 * Finds which user sends under a GUK-ID (TS 33.180 5.2.3, F.1.3). A GUK-ID does not tell the user; users that may have
 * sent are tried. It is no proof: each member can send under the GUK-ID of any other.
 */
import type { KeyId } from "../../bindings/index.ts";
import { type GroupMediaKeys, type GroupMki, sendersOf } from "../../bindings/media/index.ts";

/** GMKs that senders are kept of. */
const MAX_KEYS = 8;
/** Users that are tried besides the members, as who talks is named by floor control. */
const MAX_NAMED = 64;

interface Known {
  readonly users: Map<KeyId, string>;
  readonly tried: Set<string>;
}

export class Identities {
  readonly #keys: GroupMediaKeys;
  readonly #members: () => readonly string[];
  readonly #named = new Set<string>();
  readonly #known = new Map<KeyId, Known>();

  constructor(keys: GroupMediaKeys, members: () => readonly string[]) {
    this.#keys = keys;
    this.#members = members;
  }

  /** A user that somebody claims to be, or that floor control names. */
  name(uri: string): void {
    if (this.#named.has(uri)) return;
    const [oldest] = this.#named;
    if (this.#named.size >= MAX_NAMED) this.#named.delete(oldest!);
    this.#named.add(uri);
  }

  /** Undefined: none of the members and of those that were named, or the key is gone. */
  userOf({ gmkId, gukId }: GroupMki): string | undefined {
    const known = this.#of(gmkId);
    return known.users.get(gukId) ?? (this.#try(gmkId, known) ? known.users.get(gukId) : undefined);
  }

  /** Returns whether the packet came under the GUK-ID of that user. */
  isOf(mki: GroupMki, uri: string): boolean {
    this.name(uri);
    return this.userOf(mki) === uri;
  }

  #of(gmkId: KeyId): Known {
    const known = this.#known.get(gmkId);
    if (known !== undefined) return known;
    const [oldest] = this.#known.keys();
    if (this.#known.size >= MAX_KEYS) this.#known.delete(oldest!);
    const fresh = { users: new Map(), tried: new Set<string>() };
    this.#known.set(gmkId, fresh);
    return fresh;
  }

  #try(gmkId: KeyId, { users, tried }: Known): boolean {
    const untried = [...this.#members(), ...this.#named].filter((uri) => !tried.has(uri));
    const key = untried.length === 0 ? undefined : this.#keys.receiving(gmkId);
    if (key === undefined) return false;
    for (const [gukId, uri] of sendersOf(key, untried)) users.set(gukId, uri);
    for (const uri of untried) tried.add(uri);
    return true;
  }
}
