/**
 * Stored records: facts as JSON, secrets as octets beside it, since a secret in a JavaScript string cannot be wiped.
 * Length of the JSON (4 octets), JSON, then for each secret its length (4 octets) and its octets.
 */
import { concat, fromUtf8, utf8, wipe } from "../../base/bytes.ts";
import { MikeySakkeError } from "../../base/errors.ts";

export interface StoredRecord<Facts> {
  readonly facts: Facts;
  readonly secrets: readonly Uint8Array[];
}

const LENGTH_BYTES = 4;

/** The caller wipes what comes back. */
export function encodeRecord(facts: object, secrets: readonly Uint8Array[] = []): Uint8Array {
  return concat(...[utf8(JSON.stringify(facts)), ...secrets].flatMap((part) => [lengthOf(part), part]));
}

/** Copies the secrets and wipes `octets`. The facts are what this package wrote, vouched for by the seal. */
export function decodeRecord<Facts>(name: string, octets: Uint8Array): StoredRecord<Facts> {
  const parts: Uint8Array[] = [];
  try {
    const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
    for (let at = 0; at < octets.length; ) {
      const start = at + LENGTH_BYTES;
      const end = start + view.getUint32(at);
      if (end > octets.length) throw new RangeError("truncated");
      parts.push(octets.slice(start, end));
      at = end;
    }
    const [facts, ...secrets] = parts;
    return { facts: JSON.parse(fromUtf8(facts!)) as Facts, secrets };
  } catch (cause) {
    wipe(...parts);
    // The cause would quote the record.
    const text = `stored record ${name}: not readable (${(cause as Error).name})`;
    throw new MikeySakkeError("codec", "STORAGE_FORMAT", text);
  } finally {
    wipe(octets);
  }
}

function lengthOf(part: Uint8Array): Uint8Array {
  const out = new Uint8Array(LENGTH_BYTES);
  new DataView(out.buffer).setUint32(0, part.length);
  return out;
}
