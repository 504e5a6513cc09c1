// Helpers of the constant tables.

export const hex = (x) => `0x${BigInt.asUintN(64, x).toString(16).toUpperCase().padStart(16, "0")}`;
export const doubleBits = (d) => new BigUint64Array(new Float64Array([d]).buffer)[0];

/** `count` limbs of `width` bits, least significant first. */
export function limbs(x, width, count) {
  const mask = (1n << BigInt(width)) - 1n;
  return Array.from({ length: count }, (_, i) => (x >> BigInt(width * i)) & mask);
}

/** The text of a static data segment; `values` are 64-bit words. */
export function segment(name, doc, values) {
  const rows = [];
  for (let i = 0; i < values.length; i += 4)
    rows.push(
      `  ${values
        .slice(i, i + 4)
        .map(hex)
        .join(", ")}`,
    );
  return `/** ${doc} */\nexport const ${name}: usize = memory.data<u64>([\n${rows.join(",\n")}\n]);\n`;
}

export const splat = (values) => values.flatMap((v) => [v, v]);
export const asDoubles = (values) => values.map((v) => doubleBits(Number(v)));

/**
 * The K of a - b + K p. A tree of affine additions needs, at depth l, K >= X_l and K >= 2 X_l, where coordinates are
 * below X_l p: X_0 = 2.25 (a product), X_(l+1) = 2.25 + 2 X_l rounded up. Entries 2 l and 2 l + 1.
 */
export const SUBTRACTION_MULTIPLES = [
  3, 5, 8, 15, 18, 35, 38, 75, 78, 155, 158, 315, 318, 635, 638, 1275, 1278, 2555, 2558,
];

/** 32-bit values as 64-bit words for `segment`, zero-padded. */
export const pairs32 = (values) =>
  Array.from(
    { length: Math.ceil(values.length / 2) },
    (_, i) => values[2 * i] | ((values[2 * i + 1] ?? 0n) << 32n),
  );
