/** Changes to octets that know nothing of what they mean. */
import type { Draw } from "./draw.ts";

const concat = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts));

/** Up to eight octets have another value. */
export function flip(draw: Draw, octets: Uint8Array): Uint8Array {
  const changed = octets.slice();
  for (let left = 1 + draw.below(8); left > 0 && changed.length > 0; left--) {
    const at = draw.below(changed.length);
    changed[at] = draw.chance(1, 2) ? changed[at]! ^ (1 << draw.below(8)) : draw.word();
  }
  return changed;
}

export function truncate(draw: Draw, octets: Uint8Array): Uint8Array {
  return octets.subarray(0, draw.below(octets.length));
}

/** The beginning of one and the end of the other. */
export function splice(draw: Draw, one: Uint8Array, other: Uint8Array): Uint8Array {
  return concat(one.subarray(0, draw.below(one.length)), other.subarray(draw.below(other.length)));
}

/** A piece comes more than once. */
export function repeat(draw: Draw, octets: Uint8Array, most = 64): Uint8Array {
  const from = draw.below(octets.length);
  const piece = octets.subarray(from, from + 1 + draw.below(200));
  const pieces = Array.from({ length: 1 + draw.below(most) }, () => piece);
  return concat(octets.subarray(0, from), ...pieces, octets.subarray(from));
}

/** A piece is gone. */
export function cut(draw: Draw, octets: Uint8Array): Uint8Array {
  const from = draw.below(octets.length);
  return concat(octets.subarray(0, from), octets.subarray(from + 1 + draw.below(64)));
}

export const anyChange = (draw: Draw, octets: Uint8Array, other: Uint8Array): Uint8Array => {
  const changes = [
    () => flip(draw, octets),
    () => truncate(draw, octets),
    () => splice(draw, octets, other),
    () => repeat(draw, octets),
    () => cut(draw, octets),
  ];
  return draw.pick(changes)();
};

/** Numbers where programs go wrong. */
export const BOUNDARY_NUMBERS: readonly string[] = [
  "0",
  "-1",
  "1",
  "00000000000000000001",
  "255",
  "256",
  "65535",
  "65536",
  "2147483647",
  "2147483648",
  "4294967295",
  "4294967296",
  "9007199254740991",
  "9007199254740993",
  "18446744073709551616",
  "1e9",
  "0x10",
  "NaN",
  " 7",
  "7 ",
  "9".repeat(400),
];
