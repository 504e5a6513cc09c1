/**
 * Keys of control signalling that a client has: the CSKs that it uploaded, and what its server sent it (TS 33.180 5.4,
 * 5.8).
 */

import type { RandomSource } from "../../../base/random.ts";
import type { DeliveredKey, KeyId } from "../../../bindings/index.ts";
import { drawControlSsrc } from "../../../bindings/media/index.ts";
import { PeerXmlKeys, type XmlKey, type XmlKeySource } from "../../../documents/signalling-xml/index.ts";
import type { ControlKeys } from "../../call/control-keys.ts";
import { ControlStreams } from "../../call/control-streams.ts";

/** The keys that the server may still send under while a newer one is on its way. */
const MAX_KEYS = 4;
const CLIENT_SSRCS = 0x80000000;

/** MuSiKs of the servers, each under a K-ID of its own. */
export class ReceivedMusiks {
  #keys: DeliveredKey[] = [];

  get all(): readonly DeliveredKey[] {
    return this.#keys;
  }

  add(key: DeliveredKey): void {
    this.#keys = keep(this.#keys, key);
  }

  destroy(): void {
    for (const key of this.#keys) key.destroy();
    this.#keys = [];
  }
}

export class HeldControlKeys implements ControlKeys, XmlKeySource {
  readonly xml: PeerXmlKeys;
  readonly streams = new ControlStreams();
  /** Newest first. */
  #csks: DeliveredKey[] = [];
  readonly #musiks: ReceivedMusiks;
  /** CSKs on their way to the server, each with what protects XML under it. */
  readonly #offered = new Map<DeliveredKey, PeerXmlKeys>();
  readonly #userUri: string;
  #ssrc: number;

  /** MuSiKs arrive for any binding, and stay when it ends. */
  constructor(userUri: string, random: RandomSource, musiks: ReceivedMusiks) {
    this.#musiks = musiks;
    this.#userUri = userUri;
    this.xml = new PeerXmlKeys(userUri);
    this.#ssrc = drawControlSsrc("client", random);
  }

  /** A CSK on its way to the server, whose messages under it may come before its answer. */
  offer(csk: DeliveredKey): void {
    const xml = new PeerXmlKeys(this.#userUri);
    xml.add(csk);
    this.#offered.set(csk, xml);
  }

  /** The server has refused it, or has not answered. */
  withdraw(csk: DeliveredKey): void {
    this.#noMoreOffered(csk);
    csk.destroy();
  }

  /** A CSK that the server has. */
  add(key: DeliveredKey): void {
    this.#noMoreOffered(key);
    this.#csks = keep(this.#csks, key);
    this.xml.add(key);
  }

  sending(): DeliveredKey | undefined {
    return this.#csks[0];
  }

  /** All that may be received under; the first of them is the one to send under. They stay here. */
  all(): DeliveredKey[] {
    return [...this.#csks, ...this.#musiks.all, ...this.#offered.keys()];
  }

  receiving(keyId: KeyId): DeliveredKey | undefined {
    return this.all().find((key) => key.keyId === keyId);
  }

  /** Older keys stay, as what was sent under them may be overtaken on its way: they make room for newer ones. */
  find(keyId: KeyId): XmlKey | undefined {
    return this.xml.find(keyId) ?? [...this.#offered.values()].find((xml) => xml.find(keyId))?.find(keyId);
  }

  /** An SSRC for one call: none comes again under these keys (RFC 7714 8.4). */
  nextSsrc(): number {
    this.#ssrc = (this.#ssrc + 1) % CLIENT_SSRCS;
    return this.#ssrc;
  }

  destroy(): void {
    for (const csk of [...this.#offered.keys()]) this.withdraw(csk);
    for (const key of this.#csks) key.destroy();
    this.#csks = [];
    this.xml.destroy();
  }

  #noMoreOffered(csk: DeliveredKey): void {
    this.#offered.get(csk)?.destroy();
    this.#offered.delete(csk);
  }
}

function keep(held: readonly DeliveredKey[], key: DeliveredKey): DeliveredKey[] {
  const others = held.filter(({ keyId }) => keyId !== key.keyId);
  for (const old of others.slice(MAX_KEYS - 1)) old.destroy();
  return [key, ...others.slice(0, MAX_KEYS - 1)];
}
