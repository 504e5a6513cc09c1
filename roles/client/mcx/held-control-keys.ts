/** Keys of control signalling that a client has: the CSKs that it uploaded, and what its server sent it (TS 33.180 5.4, 5.8). */
import type { DeliveredKey, KeyId } from "../../../bindings/index.ts";
import { drawControlSsrc } from "../../../bindings/media/index.ts";
import type { RandomSource } from "../../../bindings/random.ts";
import { PeerXmlKeys } from "../../../transport/signalling-xml/index.ts";
import type { ControlKeys } from "./control-keys.ts";

/** What the server may still send under while a newer one is on its way. */
const MAX_KEYS = 4;
const CLIENT_SSRCS = 0x80000000;

export class HeldControlKeys implements ControlKeys {
  readonly xml: PeerXmlKeys;
  /** Newest first. */
  #csks: DeliveredKey[] = [];
  #musiks: DeliveredKey[] = [];
  #ssrc: number;

  constructor(userUri: string, random: RandomSource) {
    this.xml = new PeerXmlKeys(userUri);
    this.#ssrc = drawControlSsrc("client", random);
  }

  /** A CSK that the server has, or a MuSiK that it sent. */
  add(key: DeliveredKey): void {
    if (key.kind === "MuSiK") {
      this.#musiks = keep(this.#musiks, key);
      return;
    }
    this.#csks = keep(this.#csks, key);
    this.xml.add(key);
  }

  sending(): DeliveredKey | undefined {
    return this.#csks[0];
  }

  receiving(keyId: KeyId): DeliveredKey | undefined {
    return [...this.#csks, ...this.#musiks].find((key) => key.keyId === keyId);
  }

  /** An SSRC for one call: none comes again under these keys (RFC 7714 8.4). */
  nextSsrc(): number {
    this.#ssrc = (this.#ssrc + 1) % CLIENT_SSRCS;
    return this.#ssrc;
  }

  destroy(): void {
    for (const key of [...this.#csks, ...this.#musiks]) key.destroy();
    this.#csks = [];
    this.#musiks = [];
    this.xml.destroy();
  }
}

function keep(held: readonly DeliveredKey[], key: DeliveredKey): DeliveredKey[] {
  const others = held.filter(({ keyId }) => keyId !== key.keyId);
  for (const old of others.slice(MAX_KEYS - 1)) old.destroy();
  return [key, ...others.slice(0, MAX_KEYS - 1)];
}
