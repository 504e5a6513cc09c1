/**
 * MCData Protected Payload message (TS 33.180 8.5.4.1): here the envelope of the key parameters (E.6.1).
 * The AAD is everything in front of the payload element (8.5.4.2), the nonce all 16 octets of the IV.
 */

import { concat, wipe } from "../../base/bytes.ts";
import { refusal } from "../../base/checks.ts";
import { deriveDpck } from "../identity/kdf.ts";
import { formatKeyId, type KeyId } from "../identity/purpose-tag.ts";
import { AEAD_IV_BYTES, aeadOpen, aeadSeal } from "../symmetric/aead.ts";
import type { Names, Reader } from "./reader.ts";
import type { Tolerance } from "./tolerance.ts";
import { u8, u16, u32, u40 } from "./writer.ts";

/** TS 24.282 15.2.2: DATA PAYLOAD 0x03 with bit 7, protected. */
export const PROTECTED_DATA_PAYLOAD = 0x43;
export const PROTECTED_BIT = 0x40;
export const AUTHENTICATED_BIT = 0x80;

/** RFC 5116 number of AEAD_AES_128_GCM. */
const ALGORITHM_AES_128_GCM = 1;

const ALGORITHM_NAMES: Names = {
  1: "AEAD_AES_128_GCM",
  2: "AEAD_AES_256_GCM",
  3: "AEAD_AES_128_CCM",
  4: "AEAD_AES_256_CCM",
};

export interface ProtectedPayload {
  readonly messageType: number;
  /** Unix seconds. Not enforced: a production library sends 1. */
  readonly dateTime: number;
  readonly payloadId: number;
  readonly sequenceNo: number;
  readonly algorithm: number;
  readonly signallingAlgorithm: number | undefined;
  readonly iv: Uint8Array;
  readonly dppkId: KeyId;
  /** Sent as 0; its value is not known and any is read. */
  readonly iei: number;
  /** Ciphertext and 16-octet tag. */
  readonly sealed: Uint8Array;
}

export function decodeProtectedPayload(r: Reader): ProtectedPayload {
  const messageType = r.u8("message type");
  const dateTime = r.u40("date and time", (s) => new Date(s * 1000).toISOString());
  const payloadId = r.u32("payload ID");
  const sequenceNo = r.u8("payload sequence number");
  const algorithm = r.u8("payload algorithm", ALGORITHM_NAMES);
  // Nothing announces the optional octet. It is there when only with it the payload length fills the message.
  const signallingAlgorithm = fills(r, 1) && !fills(r, 0) ? r.u8("signalling algorithm") : undefined;
  const iv = r.take(AEAD_IV_BYTES, "IV");
  const dppkId = r.u32("DPPK-ID", formatKeyId);
  const iei = r.u8("payload IEI");
  const sealed = r.take(r.u16("payload length"), "protected payload");
  if (r.remaining > 0) {
    throw refusal("BAD_PROTECTED_PAYLOAD", `protected payload: ${r.remaining} octets too many`, {
      offset: r.offset,
    });
  }
  return {
    messageType,
    dateTime,
    payloadId,
    sequenceNo,
    algorithm,
    signallingAlgorithm,
    iv,
    dppkId,
    iei,
    sealed,
  };
}

function fills(r: Reader, extra: number): boolean {
  const lengthAt = r.offset + extra + AEAD_IV_BYTES + 5;
  const length = r.octets[lengthAt]! * 256 + r.octets[lengthAt + 1]!;
  return lengthAt + 2 + length === r.end;
}

export function encodeProtectedPayload(p: ProtectedPayload): Uint8Array {
  return concat(aadOf(p, true), u8(p.iei), u16(p.sealed.length), p.sealed);
}

/** The octets in front of the payload element. */
function aadOf(p: ProtectedPayload, withSignallingAlgorithm: boolean): Uint8Array {
  return concat(
    u8(p.messageType),
    u40(p.dateTime),
    u32(p.payloadId),
    u8(p.sequenceNo, p.algorithm),
    withSignallingAlgorithm && p.signallingAlgorithm !== undefined
      ? u8(p.signallingAlgorithm)
      : new Uint8Array(0),
    p.iv,
    u32(p.dppkId),
  );
}

export interface ProtectOptions {
  /** Unix seconds. */
  readonly dateTime: number;
  /** Fresh for each call. */
  readonly iv: Uint8Array;
  /** Type of the clear message; DATA PAYLOAD by default. */
  readonly messageType?: number;
  readonly payloadId?: number;
  readonly sequenceNo?: number;
}

/** Protects `plaintext` under the DPCK of (key, dppkId). */
export async function protect(
  key: Uint8Array,
  dppkId: KeyId,
  plaintext: Uint8Array,
  options: ProtectOptions,
): Promise<Uint8Array> {
  const head = {
    messageType: (options.messageType ?? PROTECTED_DATA_PAYLOAD) | PROTECTED_BIT,
    dateTime: options.dateTime,
    payloadId: options.payloadId ?? 0,
    sequenceNo: options.sequenceNo ?? 0,
    algorithm: ALGORITHM_AES_128_GCM,
    signallingAlgorithm: undefined,
    iv: options.iv,
    dppkId,
    iei: 0,
    sealed: new Uint8Array(0),
  };
  const dpck = deriveDpck(key, dppkId);
  try {
    const sealed = await aeadSeal(dpck, options.iv, aadOf(head, false), plaintext);
    return encodeProtectedPayload({ ...head, sealed });
  } finally {
    wipe(dpck);
  }
}

/** The plaintext. Throws check 46 for forms that are not used and check 49 when the tag does not fit. */
export async function unprotect(
  key: Uint8Array,
  p: ProtectedPayload,
  tolerance: Tolerance,
): Promise<Uint8Array> {
  const type = p.messageType;
  if ((type & PROTECTED_BIT) === 0 || (type & AUTHENTICATED_BIT) !== 0) {
    throw refusal("BAD_PROTECTED_PAYLOAD", `message type 0x${type.toString(16)}: not a protected payload`);
  }
  if (p.algorithm !== ALGORITHM_AES_128_GCM) {
    throw refusal("BAD_PROTECTED_PAYLOAD", `payload algorithm ${p.algorithm}: only 1 (AES-128-GCM) is used`);
  }
  if (p.signallingAlgorithm !== undefined && tolerance.signallingAlgorithm === undefined) {
    throw refusal("BAD_PROTECTED_PAYLOAD", "signalling algorithm: not accepted");
  }
  const dpck = deriveDpck(key, p.dppkId);
  try {
    const aad = aadOf(p, tolerance.signallingAlgorithm === "in-aad");
    const plaintext = await aeadOpen(dpck, p.iv, aad, p.sealed);
    if (plaintext === undefined) {
      throw refusal("PARAMETERS_NOT_AUTHENTIC", "key parameters: cannot be decrypted with the delivered key");
    }
    return plaintext;
  } finally {
    wipe(dpck);
  }
}

/** The older vendor format has Key Type + 1 in the first octet where the message type has bit 7. */
export function isUnprotectedForm(data: Uint8Array): boolean {
  const first = data[0];
  return first !== undefined && first >= 1 && first <= 3;
}
