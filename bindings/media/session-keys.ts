/** Session keys of SRTP and SRTCP from a master key (RFC 3711 4.3, RFC 7714 11 and 12): key derivation rate 0. */
import { wipe } from "../../base/bytes.ts";
import { requireBytes } from "../../base/errors.ts";
import { andThen, type MaybePromise } from "../../base/maybe-promise.ts";
import { SRTP_MASTER_KEY_BYTES, SRTP_MASTER_SALT_BYTES } from "../identity/kdf.ts";
import { aesKeyStream, GCM_NONCE_BYTES, type GcmKey, importGcmKey } from "./aes.ts";

export interface SrtpMaster {
  /** 16 octets. */
  readonly key: Uint8Array;
  /** 12 octets. */
  readonly salt: Uint8Array;
}

export interface SessionKeys {
  readonly cipher: GcmKey;
  /** 12 octets, which the nonce is XORed with. */
  readonly salt: Uint8Array;
}

/** Labels of RFC 3711 4.3.2; those of authentication keys have no use with an AEAD. */
export const SRTP_LABELS = { key: 0, salt: 2 } as const;
export const SRTCP_LABELS = { key: 3, salt: 5 } as const;

const SESSION_KEY_BYTES = 16;
/** Octet of the padded master salt that the label is added to: x = label || r, with 48 bits of r (4.3.1). */
const LABEL_AT = 7;

/** Returns what a label stands for: the first octets of the AES-CM key stream of the master key. */
export function deriveSession(
  { key, salt }: SrtpMaster,
  label: number,
  length: number,
): MaybePromise<Uint8Array> {
  // RFC 7714 11: the 12 octets of salt are padded with zeros to 14; two more are the block counter.
  const iv = new Uint8Array(16);
  iv.set(salt);
  iv[LABEL_AT]! ^= label;
  return aesKeyStream(key, iv, length);
}

/** Throws a usage error for lengths that are not those of AEAD_AES_128_GCM. */
export function sessionKeys(
  master: SrtpMaster,
  labels: { readonly key: number; readonly salt: number },
): MaybePromise<SessionKeys> {
  requireBytes(master.key, "SRTP master key", SRTP_MASTER_KEY_BYTES);
  requireBytes(master.salt, "SRTP master salt", SRTP_MASTER_SALT_BYTES);
  return andThen(deriveSession(master, labels.key, SESSION_KEY_BYTES), (key) =>
    andThen(importGcmKey(key), (cipher) => {
      wipe(key);
      return andThen(deriveSession(master, labels.salt, GCM_NONCE_BYTES), (salt) => ({ cipher, salt }));
    }),
  );
}
