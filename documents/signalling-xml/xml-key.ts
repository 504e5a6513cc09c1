/** The two keys that protect the XML of one user under an XPK: a CSK, or between servers an SPK (TS 33.180 F.1.4). */
import { fromBase64, toBase64, wipe } from "../../base/bytes.ts";
import { MikeySakkeError, requireObject } from "../../base/errors.ts";
import { type KeyId, keyIdFromBytes, keyIdToBytes } from "../../bindings/identity/purpose-tag.ts";
import type { DeliveredKey } from "../../bindings/mikey/delivered-key.ts";

interface DerivedKeys {
  readonly confidentiality: Uint8Array;
  readonly integrity: Uint8Array;
}

export class XmlKey {
  readonly keyId: KeyId;
  /** MC service user ID that the keys were derived for. */
  readonly userId: string;
  #keys: DerivedKeys | undefined;

  private constructor(keyId: KeyId, userId: string, keys: DerivedKeys) {
    this.keyId = keyId;
    this.userId = userId;
    this.#keys = keys;
  }

  /** @throws {MikeySakkeError} usage `NOT_A_SIGNALLING_KEY`, `BAD_USER_ID`, `DESTROYED` */
  static derive(xpk: DeliveredKey, userId: string): XmlKey {
    requireObject(xpk, "XPK", "a DeliveredKey", "xmlKeys");
    if (typeof userId !== "string" || userId === "") {
      throw new MikeySakkeError(
        "usage",
        "BAD_USER_ID",
        "MC service user ID: expected a text that is not empty",
      );
    }
    return new XmlKey(xpk.keyId, userId, xpk.xmlKeys(userId));
  }

  /** The name of the XPK in documents: base64 of the four octets of its ID. */
  get keyName(): string {
    return toBase64(keyIdToBytes(this.keyId));
  }

  /** The octets themselves, not a copy. */
  get confidentiality(): Uint8Array {
    return this.#use().confidentiality;
  }

  /** The octets themselves, not a copy. */
  get integrity(): Uint8Array {
    return this.#use().integrity;
  }

  destroy(): void {
    if (this.#keys !== undefined) wipe(this.#keys.confidentiality, this.#keys.integrity);
    this.#keys = undefined;
  }

  #use(): DerivedKeys {
    if (this.#keys === undefined)
      throw new MikeySakkeError("usage", "DESTROYED", "XML key: already destroyed");
    return this.#keys;
  }
}

/** The XPK-ID of a KeyName, or undefined when it is none. */
export function keyIdOfName(name: string): KeyId | undefined {
  // Base64 of four octets, and no other text that decodes to them.
  if (!/^[A-Za-z0-9+/]{5}[AQgw]==$/.test(name)) return undefined;
  return keyIdFromBytes(fromBase64(name));
}
