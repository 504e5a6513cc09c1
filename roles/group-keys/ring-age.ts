/**
 * Since when a ring exists. An empty ring knows nothing of identifiers that were revoked, and of messages that were taken, so
 * that an attacker who recorded an old one could give it a key again. What was sent before the ring was made is therefore taken
 * only where the GMS itself shows it as what holds now.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { toHex, utf8 } from "../../base/bytes.ts";
import { type ErrorCode, MikeySakkeError } from "../../base/errors.ts";
import { decodeRecord, encodeRecord } from "../identity/record.ts";
import type { SecretStorage } from "../identity/storage.ts";

/** As for the group keys, below a name of its own. */
const nameOf = (userUri: string) => `group-ring/${toHex(sha256(utf8(userUri)).subarray(0, 16))}`;

const DAMAGE: ReadonlySet<ErrorCode> = new Set(["STORAGE_SEAL", "STORAGE_FORMAT"]);

/** Milliseconds since the Unix epoch. A ring with keys and no such record is older than the record: 0. */
export async function ringSince(
  storage: SecretStorage,
  userUri: string,
  { isEmpty, now }: { readonly isEmpty: boolean; readonly now: number },
): Promise<number> {
  const name = nameOf(userUri);
  const known = await read(storage, name);
  if (known !== undefined) return known;
  const since = isEmpty ? now : 0;
  await storage.put(name, encodeRecord({ since }));
  return since;
}

/** Undefined also for one that does not open: then the ring is as old as it looks. */
async function read(storage: SecretStorage, name: string): Promise<number | undefined> {
  try {
    const octets = await storage.get(name);
    return octets && decodeRecord<{ since: number }>(name, octets).facts.since;
  } catch (error) {
    if (error instanceof MikeySakkeError && DAMAGE.has(error.code)) return undefined;
    throw error;
  }
}
