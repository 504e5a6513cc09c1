/** The MKI of media (TS 33.180 7.4.2): GMK-ID and GUK-ID of the sender for a group, the K-ID for any other key. */
import { MikeySakkeError } from "../../base/errors.ts";
import { applyUserSalt } from "../identity/guk-id.ts";
import { type KeyId, keyIdFromBytes, keyIdToBytes } from "../identity/purpose-tag.ts";
import { userSalts } from "../identity/user-salt.ts";
import type { DeliveredKey } from "../mikey/delivered-key.ts";
import { readUint32 } from "./rtp.ts";

export const GROUP_MKI_BYTES = 8;
export const KEY_MKI_BYTES = 4;

export interface GroupMki {
  readonly gmkId: KeyId;
  /** GUK-ID of the sender. */
  readonly gukId: KeyId;
}

export function groupMki({ gmkId, gukId }: GroupMki): Uint8Array {
  const mki = new Uint8Array(GROUP_MKI_BYTES);
  mki.set(keyIdToBytes(gmkId));
  mki.set(keyIdToBytes(gukId), KEY_MKI_BYTES);
  return mki;
}

/** @throws MikeySakkeError usage `BAD_KEY_ID` unless there are eight octets */
export function readGroupMki(mki: Uint8Array): GroupMki {
  return {
    gmkId: keyIdFromBytes(mki.subarray(0, KEY_MKI_BYTES)),
    gukId: keyIdFromBytes(mki.subarray(KEY_MKI_BYTES)),
  };
}

/** The GMK-ID of eight octets of an MKI, without what else is in it. */
export function gmkIdOf(mki: Uint8Array): KeyId {
  return readUint32(mki, 0);
}

/** The K-ID that a packet of control signalling ends with; undefined when it is too short. */
export function readKeyId(packet: Uint8Array): KeyId | undefined {
  if (packet.length < KEY_MKI_BYTES) return undefined;
  return keyIdFromBytes(packet.subarray(packet.length - KEY_MKI_BYTES));
}

/**
 * The user who sends under a GUK-ID of a GMK. It tells members apart, and does not prove who sent: each member can
 * derive the keys of all others.
 *
 * @throws MikeySakkeError usage `NOT_A_GMK`
 */
export function sendersOf(gmk: DeliveredKey, memberUris: readonly string[]): Map<KeyId, string> {
  if (gmk.kind !== "GMK") throw new MikeySakkeError("usage", "NOT_A_GMK", `${gmk.kind}: has no GUK-IDs`);
  const key = gmk.reveal();
  try {
    const salts = userSalts(key, memberUris);
    return new Map(memberUris.map((uri, i) => [applyUserSalt(gmk.keyId, salts[i]!), uri]));
  } finally {
    key.fill(0);
  }
}
