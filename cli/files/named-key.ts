/**
 * Files with a TrK or InK: JSON with kind, id, the two that share it and the key in hexadecimal, readable by the owner
 * only.
 */
import { fromHex, fromUtf8, toHex, wipe } from "../../base/bytes.ts";
import { defined, ifDefined } from "../../base/defined.ts";
import type { NamedKey } from "../../documents/kms-xml/index.ts";
import type { TransportKeys } from "../../roles/identity/index.ts";
import { readFile } from "../terminal/files.ts";
import { usageError } from "../terminal/usage.ts";
import { replaceFile } from "./durable.ts";

export type KeyKind = "TrK" | "InK";

/** A key, and with which KMS it is shared, if the file says so. */
export interface SharedKey extends NamedKey {
  readonly kmsUri?: string;
}

const KEY_BYTES = 32;
const MAX_FILE = 4096;

export async function writeNamedKey(
  file: string,
  { kind, userUri, kmsUri, id, key }: SharedKey & { readonly kind: KeyKind; readonly userUri: string },
): Promise<void> {
  const text = JSON.stringify({ kind, userUri, kmsUri, id, key: toHex(key) }, null, 2);
  await replaceFile(file, `${text}\n`, { secret: true });
}

/** Errors never quote the content. */
export async function readNamedKey(file: string, kind: KeyKind): Promise<SharedKey> {
  const octets = await readFile(file, MAX_FILE);
  let found: Record<string, unknown>;
  try {
    found = JSON.parse(fromUtf8(octets, file)) as Record<string, unknown>;
  } catch {
    throw badFile(file, kind);
  } finally {
    wipe(octets);
  }
  if (found.kind !== undefined && found.kind !== kind) {
    throw usageError("BAD_KEY_FILE", `${file}: not a ${kind}, but of kind "${String(found.kind)}"`);
  }
  const { id, key, kmsUri } = found;
  if (typeof id !== "string" || id === "" || typeof key !== "string" || !/^[0-9a-f]{64}$/i.test(key)) {
    throw badFile(file, kind);
  }
  return { id, key: fromHex(key), ...(typeof kmsUri === "string" && { kmsUri }) };
}

/** Files with the keys that a user shares with their KMS. */
export interface TransportKeyFiles {
  readonly trk?: string | undefined;
  readonly ink?: string | undefined;
}

export interface SharedKeys extends TransportKeys {
  readonly trk?: SharedKey;
  readonly ink?: SharedKey;
}

/** The keys of those files that are given. */
export async function readTransportKeys({ trk, ink }: TransportKeyFiles): Promise<SharedKeys> {
  return defined({
    trk: await ifDefined(trk, readNamedKey, "TrK"),
    ink: await ifDefined(ink, readNamedKey, "InK"),
  });
}

function badFile(file: string, kind: KeyKind) {
  const text = `${file}: not a ${kind}: JSON with id and key, ${KEY_BYTES} octets in hexadecimal`;
  return usageError("BAD_KEY_FILE", text);
}
