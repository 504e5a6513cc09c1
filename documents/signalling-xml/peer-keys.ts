/** The XPKs that one peer shares with this end. */
import type { KeyId } from "../../bindings/identity/purpose-tag.ts";
import type { DeliveredKey } from "../../bindings/mikey/delivered-key.ts";
import { XmlKey } from "./xml-key.ts";

/** The source in which a reader finds keys: those, and only those, that the sender of the message may use. */
export interface XmlKeySource {
  find(keyId: KeyId): XmlKey | undefined;
  /** The sender has used this key in a message that was accepted. */
  confirm?(keyId: KeyId): void;
}

/** A peer that never uses the key it was sent last still leaves no more than these. */
const MAX_KEYS = 4;

/**
 * The keys of one client, for its MC service user ID. A server keeps one of these for each client and looks for it by
 * the session, never by the name of a key: so a key of another client opens nothing.
 */
export class PeerXmlKeys implements XmlKeySource {
  readonly userId: string;
  /** Newest first. */
  #keys: XmlKey[] = [];

  constructor(userId: string) {
    this.userId = userId;
  }

  /** The key to send under: the newest. */
  get sending(): XmlKey | undefined {
    return this.#keys[0];
  }

  /** A key to send under from now on. Those before it are still received under until the peer uses this one (5.8). */
  add(xpk: DeliveredKey): void {
    const key = XmlKey.derive(xpk, this.userId);
    this.#keep([key, ...this.#keys.filter(({ keyId }) => keyId !== key.keyId)].slice(0, MAX_KEYS));
  }

  find(keyId: KeyId): XmlKey | undefined {
    return this.#keys.find((key) => key.keyId === keyId);
  }

  /** Ends the keys that are older than this one. */
  confirm(keyId: KeyId): void {
    const at = this.#keys.findIndex((key) => key.keyId === keyId);
    if (at >= 0) this.#keep(this.#keys.slice(0, at + 1));
  }

  destroy(): void {
    this.#keep([]);
  }

  #keep(keys: XmlKey[]): void {
    for (const key of this.#keys) if (!keys.includes(key)) key.destroy();
    this.#keys = keys;
  }
}
