/** A key K as an I_MESSAGE delivered it, with what is needed to use it. The octets of K stay inside. */
import { wipe } from "../../base/bytes.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import {
  deriveDpck,
  deriveSrtpMaster,
  deriveXmlConfidentialityKey,
  deriveXmlIntegrityKey,
} from "../identity/kdf.ts";
import type { KeyId, KeyKind } from "../identity/purpose-tag.ts";

export interface DeliveredKeyFields {
  readonly kind: KeyKind;
  /** K-ID: GMK-ID, PCK-ID ... */
  readonly keyId: KeyId;
  /** CSB-ID of the message: for a GMK the receiver's own GUK-ID, else the K-ID. */
  readonly ukId: KeyId;
  readonly rand: Uint8Array;
}

export class DeliveredKey implements DeliveredKeyFields {
  readonly kind: KeyKind;
  readonly keyId: KeyId;
  readonly ukId: KeyId;
  readonly rand: Uint8Array;
  #key: Uint8Array | undefined;

  /** Takes over `key`. */
  constructor(key: Uint8Array, fields: DeliveredKeyFields) {
    this.#key = key;
    this.kind = fields.kind;
    this.keyId = fields.keyId;
    this.ukId = fields.ukId;
    this.rand = fields.rand;
  }

  /** A copy of K, 16 octets; the caller wipes it. Throws a usage error after `destroy`. */
  reveal(): Uint8Array {
    return this.#use().slice();
  }

  /**
   * SRTP master key (16 octets) and salt (12 octets) for a crypto session (TS 33.180 7.4). For group media
   * `ukId` is the GUK-ID of the sender of the media; own media and other kinds of key take the default.
   */
  srtpMaster(csId: number, ukId: KeyId = this.ukId): { key: Uint8Array; salt: Uint8Array } {
    return deriveSrtpMaster({ tgk: this.#use(), csId, csbId: ukId, rand: this.rand });
  }

  /** MCData payload cipher key for the K-ID (TS 33.180 8.5.3, F.1.5). */
  dpck(): Uint8Array {
    return deriveDpck(this.#use(), this.keyId);
  }

  /**
   * Keys of 16 octets for the XML of one user in SIP signalling (TS 33.180 9.3, F.1.4); the caller wipes them. Throws a
   * usage error when this is no CSK or SPK.
   */
  xmlKeys(userUri: string): { confidentiality: Uint8Array; integrity: Uint8Array } {
    if (this.kind !== "CSK" && this.kind !== "SPK") {
      throw new MikeySakkeError("usage", "NOT_A_SIGNALLING_KEY", `${this.kind}: does not protect XML`);
    }
    const key = this.#use();
    return {
      confidentiality: deriveXmlConfidentialityKey(key, userUri, this.keyId),
      integrity: deriveXmlIntegrityKey(key, userUri, this.keyId),
    };
  }

  destroy(): void {
    if (this.#key !== undefined) wipe(this.#key);
    this.#key = undefined;
  }

  #use(): Uint8Array {
    if (this.#key === undefined) throw new MikeySakkeError("usage", "DESTROYED", "key: already destroyed");
    return this.#key;
  }
}
