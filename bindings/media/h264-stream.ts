/** The byte stream of H.264 (Annex B): NAL units behind start codes, and which of them belong to one picture. */
import { concatAll } from "../../base/bytes.ts";

const START_CODE = Uint8Array.of(0, 0, 0, 1);
const TYPE = 0x1f;
const SLICE = 1;
const LAST_SLICE = 5;
/** SEI, parameter sets, access unit delimiter; then prefix units and subset parameter sets. */
const BEFORE_PICTURE: readonly number[] = [6, 7, 8, 9, 14, 15, 16, 17, 18];

/** The units of a byte stream, without their start codes. Octets before the first start code are passed over. */
export function splitAnnexB(stream: Uint8Array): Uint8Array[] {
  const units: Uint8Array[] = [];
  let begin: number | undefined;
  const take = (end: number) => {
    if (begin === undefined) return;
    let last = end;
    // Zeros may stand behind a unit, whose own last octet is never zero (B.1, 7.4.1).
    while (last > begin && stream[last - 1] === 0) last--;
    if (last > begin) units.push(stream.subarray(begin, last));
  };
  for (let at = stream.indexOf(1, 2); at >= 0; at = stream.indexOf(1, at + 1)) {
    if (stream[at - 1] !== 0 || stream[at - 2] !== 0 || at - 2 < (begin ?? 0)) continue;
    take(at - 2);
    begin = at + 1;
  }
  take(stream.length);
  return units;
}

/** Units as they stand in a byte stream, each behind a start code. */
export function writeAnnexB(units: readonly Uint8Array[]): Uint8Array {
  return concatAll(units.flatMap((unit) => [START_CODE, unit]));
}

/** The units of each picture, with what goes before it (7.4.1.2.3). */
export function accessUnitsOf(units: readonly Uint8Array[]): Uint8Array[][] {
  const pictures: Uint8Array[][] = [];
  let hasSlice = true;
  for (const unit of units) {
    const type = unit[0]! & TYPE;
    const isSlice = type >= SLICE && type <= LAST_SLICE;
    // `first_mb_in_slice` is 0 in the first slice of a picture, which is written as one bit (7.3.3, 9.1).
    const isFirst = isSlice && (unit[1] ?? 0) >= 0x80;
    if (hasSlice && (isFirst || BEFORE_PICTURE.includes(type) || pictures.length === 0)) {
      pictures.push([]);
      hasSlice = false;
    }
    pictures.at(-1)!.push(unit);
    hasSlice ||= isSlice;
  }
  return pictures;
}
