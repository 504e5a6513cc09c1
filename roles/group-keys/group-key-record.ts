/**
 * The stored record of one GMK-ID: what its messages showed so far, which of them were accepted, and the key. One put
 * changes all of it, so that no crash leaves an identifier known and its key lost (TS 33.180 5.11.2).
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { fromHex, toHex, utf8, wipe } from "../../base/bytes.ts";
import { DeliveredKey, type KeyId, type KeyRecord, type SrtpProfile } from "../../bindings/index.ts";
import { decodeRecord, encodeRecord } from "../identity/record.ts";

/** Why there is no key in a record, which then only blocks the identifier. */
export type KeyEnd = "revoked" | "left" | "expired";

export interface GroupKeyFacts {
  readonly ledger: KeyRecord;
  /** Hex SHA-256 of the signed octets of the messages that were accepted, the newest last. */
  readonly digests: readonly string[];
  readonly end: KeyEnd | undefined;
  readonly gukId: KeyId;
  /** Hex. */
  readonly rand: string;
  readonly groups: readonly string[];
  /** Entries of `groups` that the key does not count for, because the holder is not a member or another GMS has the group. */
  readonly leftGroups: readonly string[];
  readonly activation: number;
  readonly expiry: number | undefined;
  /** The clock was past the expiry once. A renewal, which has another expiry, takes that away. */
  readonly isExpired?: boolean;
  readonly text: string;
  readonly gmsUri: string | undefined;
  readonly profile: SrtpProfile | undefined;
  /** T of the first message accepted, in milliseconds since the Unix epoch: the order of keys activated together. */
  readonly firstSent: number;
  /** From then on the messages accepted so far are refused by their key period (check 38). */
  readonly replayableUntil: number;
}

/** Digests kept of one GMK-ID: a GMS may list the message of each key period, until the last of them was taken. */
export const MAX_DIGESTS = 16;

interface StoredFacts extends Omit<GroupKeyFacts, "ledger"> {
  /** T in decimal, as JSON has no 64-bit numbers. */
  readonly ledger: Omit<KeyRecord, "time"> & { readonly time: string };
}

/** The caller wipes what comes back. */
export function encodeGroupKey(facts: GroupKeyFacts, key: DeliveredKey | undefined): Uint8Array {
  const { ledger } = facts;
  const stored: StoredFacts = { ...facts, ledger: { ...ledger, time: String(ledger.time) } };
  if (key === undefined) return encodeRecord(stored);
  const octets = key.reveal();
  try {
    return encodeRecord(stored, [octets]);
  } finally {
    wipe(octets);
  }
}

/** Wipes `octets`; the caller destroys the key. */
export function decodeGroupKey(
  name: string,
  octets: Uint8Array,
): { facts: GroupKeyFacts; key: DeliveredKey | undefined } {
  const { facts: stored, secrets } = decodeRecord<StoredFacts>(name, octets);
  const { ledger } = stored;
  // JSON leaves out what is undefined.
  const { end, expiry, gmsUri, profile } = stored;
  const facts: GroupKeyFacts = {
    ...stored,
    end,
    expiry,
    gmsUri,
    profile: profile && { ...profile, roc: profile.roc },
    ledger: { ...ledger, time: BigInt(ledger.time) },
  };
  const [secret] = secrets;
  const { kind, keyId } = ledger;
  const fields = { kind, keyId, ukId: facts.gukId, rand: fromHex(facts.rand) };
  return { facts, key: secret && new DeliveredKey(secret, fields) };
}

/** Prefix of the records of a user. 128 bits: names stay short, and tell whoever sees them no identities at once. */
export function prefixOf(userUri: string): string {
  return `group-key/${toHex(sha256(utf8(userUri)).subarray(0, 16))}/`;
}
