/** The file of a KMS's master secrets: JSON with `z` and `ksak` in hexadecimal, readable by its owner only. */
import { stat } from "node:fs/promises";
import { fromHex, fromUtf8, toHex } from "../../base/bytes.ts";
import { readFile, type WriteOptions, writeOutput } from "../terminal/files.ts";
import { usageError } from "../terminal/usage.ts";

export interface KmsSecrets {
  /** SAKKE master secret z_T, 128 octets. */
  z: Uint8Array;
  /** ECCSI secret KSAK, 32 octets. */
  ksak: Uint8Array;
}

const Z_BYTES = 128;
const KSAK_BYTES = 32;
const MAX_FILE = 4096;

export async function writeSecrets(file: string, secrets: KmsSecrets, options: WriteOptions): Promise<void> {
  const text = JSON.stringify({ z: toHex(secrets.z), ksak: toHex(secrets.ksak) }, null, 2);
  await writeOutput(file, `${text}\n`, { ...options, secret: true });
}

/** Errors never quote the content. */
export async function readSecrets(file: string): Promise<KmsSecrets> {
  const octets = await readFile(file, MAX_FILE);
  try {
    const { z, ksak } = JSON.parse(fromUtf8(octets)) as Record<string, unknown>;
    return { z: secretOf(z, Z_BYTES), ksak: secretOf(ksak, KSAK_BYTES) };
  } catch {
    throw usageError("BAD_SECRETS", `${file}: not a KMS secrets file (JSON with z and ksak in hexadecimal)`);
  } finally {
    octets.fill(0);
  }
}

/** Returns whether others than the owner may read the file; unknown on systems without such modes. */
export async function readableByOthers(file: string): Promise<boolean> {
  if (process.platform === "win32") return false;
  return ((await stat(file)).mode & 0o077) !== 0;
}

function secretOf(value: unknown, length: number): Uint8Array {
  const octets = fromHex(value as string);
  if (octets.length !== length) throw new RangeError();
  return octets;
}
