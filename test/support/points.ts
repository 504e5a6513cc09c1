/** Points of the SAKKE curve y² = x³ − 3x that lie outside the subgroup of order q. */
import { invert, mod, toInteger, toOctets } from "../crypto/reference/field.ts";
import { SAKKE } from "../crypto/reference/params.ts";

const { p, fieldBytes } = SAKKE;

/** (0, 0), the one point of order 2. */
export function orderTwo(): Uint8Array {
  const out = new Uint8Array(1 + 2 * fieldBytes);
  out[0] = 0x04;
  return out;
}

/** The sum with (0, 0): (−3/x, 3y/x²). Of order 2q when the point has order q. */
export function plusOrderTwo(point: Uint8Array): Uint8Array {
  const x = toInteger(point.subarray(1, 1 + fieldBytes));
  const y = toInteger(point.subarray(1 + fieldBytes));
  const inverse = invert(x, p);
  const out = orderTwo();
  out.set(toOctets(mod(-3n * inverse, p), fieldBytes), 1);
  out.set(toOctets(mod(3n * y * inverse * inverse, p), fieldBytes), 1 + fieldBytes);
  return out;
}
