/**
 * End-to-end protection of MCData messages under a GMK or PCK, and of their signalling under a CSK (TS 33.180 8.3 to
 * 8.5): a clear message in, an MCData Protected Payload out. The key is named by its K-ID; members have no keys apart.
 */

import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concat, utf8, wipe } from "../../base/bytes.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import { type RandomSource, systemRandom } from "../../base/random.ts";
import { formatKeyId, type KeyId, keyIdToBytes } from "../identity/purpose-tag.ts";
import type { DeliveredKey } from "../mikey/delivered-key.ts";
import {
  AUTHENTICATED_BIT,
  decodeProtectedPayload,
  PROTECTED_BIT,
  type ProtectedPayload,
  protect,
  unprotect,
} from "../mikey/protected-payload.ts";
import { Reader } from "../mikey/reader.ts";
import { u8, u32, u40 } from "../mikey/writer.ts";
import { AEAD_IV_BYTES } from "../symmetric/aead.ts";

export interface SealMcDataOptions {
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  /** Identifies the payload; drawn when absent. */
  readonly payloadId?: number;
  /** Tells parts of one payload apart. */
  readonly sequenceNo?: number;
  readonly random?: RandomSource;
}

export interface OpenedMcData {
  /** The clear message with its own type octet. */
  readonly message: Uint8Array;
  readonly keyId: KeyId;
  /** Unix seconds, as the sender says. */
  readonly dateTime: number;
  readonly payloadId: number;
  readonly sequenceNo: number;
}

/** Returns whether a body is a protected message: bit 7 of its type (TS 24.282 15.2.2). */
export function isProtectedMcData(octets: Uint8Array): boolean {
  return octets.length > 0 && (octets[0]! & PROTECTED_BIT) !== 0;
}

/** @throws MikeySakkeError usage `BAD_MCDATA_MESSAGE`: empty, or protected already */
export async function sealMcData(
  key: DeliveredKey,
  message: Uint8Array,
  options: SealMcDataOptions,
): Promise<Uint8Array> {
  const { now, sequenceNo = 0, random = systemRandom } = options;
  const [messageType] = message;
  if (messageType === undefined || (messageType & (PROTECTED_BIT | AUTHENTICATED_BIT)) !== 0) {
    throw new MikeySakkeError("usage", "BAD_MCDATA_MESSAGE", "not a clear MCData message");
  }
  const payloadId = options.payloadId ?? new DataView(random(4).buffer).getUint32(0);
  const dateTime = Math.floor(now / 1000);
  const octets = key.reveal();
  try {
    const told = concat(u40(dateTime), u32(payloadId), u8(sequenceNo), keyIdToBytes(key.keyId), message);
    const iv = ivOf(octets, random(AEAD_IV_BYTES), told);
    return await protect(octets, key.keyId, message, { dateTime, iv, messageType, payloadId, sequenceNo });
  } finally {
    wipe(octets);
  }
}

const IV_LABEL = utf8("mikey-sakke MCData IV");

/**
 * All members and their devices seal under one key, so no count keeps their IVs apart: each is 16 octets that only a draw
 * and the message together give. Where a draw comes again, as in two machines started from one image, two messages still
 * have two IVs, and one message twice is the same octets twice.
 */
function ivOf(key: Uint8Array, drawn: Uint8Array, told: Uint8Array): Uint8Array {
  return hmac(sha256, key, concat(IV_LABEL, drawn, told)).slice(0, AEAD_IV_BYTES);
}

/**
 * Opens under the key that the message names. Fails closed, and says no more than that (8.5.4).
 *
 * @param findKey the key of a DPPK-ID that may be used: not one expired or revoked
 * @throws MikeySakkeError verification `MCDATA_REFUSED`
 */
export async function openMcData(
  octets: Uint8Array,
  findKey: (keyId: KeyId) => DeliveredKey | undefined,
): Promise<OpenedMcData> {
  const envelope = attempt(() => decodeProtectedPayload(new Reader(octets)));
  const key = findKey(envelope.dppkId);
  if (key === undefined || key.keyId !== envelope.dppkId) {
    throw refused(`DPPK-ID ${formatKeyId(envelope.dppkId)}: no key that may be used`);
  }
  const message = await unseal(key, envelope);
  // The AAD vouches for the outer type; a message of another type must not stand under it.
  if (message[0] !== (envelope.messageType & ~PROTECTED_BIT)) {
    throw refused("the type of the message is not the one that it was sealed as");
  }
  const { dateTime, payloadId, sequenceNo } = envelope;
  return { message, keyId: key.keyId, dateTime, payloadId, sequenceNo };
}

async function unseal(key: DeliveredKey, envelope: ProtectedPayload): Promise<Uint8Array> {
  const octets = key.reveal();
  try {
    return await unprotect(octets, envelope, {});
  } catch (cause) {
    if (!(cause instanceof MikeySakkeError)) throw cause;
    throw refused("cannot be decrypted", cause);
  } finally {
    wipe(octets);
  }
}

function attempt<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof MikeySakkeError)) throw cause;
    throw refused("not a protected payload", cause);
  }
}

function refused(text: string, cause?: unknown): MikeySakkeError {
  return new MikeySakkeError("verification", "MCDATA_REFUSED", `MCData message: ${text}`, { cause });
}
