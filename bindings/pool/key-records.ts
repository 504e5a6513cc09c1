/** User keys as one octet string, which can be moved between threads: RSK || SSK || PVT for each user. */
import { concat, wipe } from "../../base/bytes.ts";
import { PVT_BYTES, SSK_BYTES } from "../eccsi/encoding.ts";
import type { UserKeys } from "../kms.ts";
import { SAKKE_POINT_BYTES } from "../sakke/encoding.ts";

const SSK_AT = SAKKE_POINT_BYTES;
const PVT_AT = SSK_AT + SSK_BYTES;
const RECORD_BYTES = PVT_AT + PVT_BYTES;

/** Clears the keys that it was given. */
export function packKeys(keys: readonly UserKeys[]): Uint8Array<ArrayBuffer> {
  const records = new Uint8Array(keys.length * RECORD_BYTES);
  keys.forEach(({ rsk, ssk, pvt }, i) => {
    const record = concat(rsk, ssk, pvt);
    records.set(record, i * RECORD_BYTES);
    wipe(record, rsk, ssk);
  });
  return records;
}

/** Clears the records. */
export function unpackKeys(records: Uint8Array): UserKeys[] {
  const keys = Array.from({ length: records.length / RECORD_BYTES }, (_, i) => {
    const record = records.subarray(i * RECORD_BYTES, (i + 1) * RECORD_BYTES);
    return { rsk: record.slice(0, SSK_AT), ssk: record.slice(SSK_AT, PVT_AT), pvt: record.slice(PVT_AT) };
  });
  wipe(records);
  return keys;
}
