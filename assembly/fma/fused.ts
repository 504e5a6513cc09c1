// Whether the host fuses the multiplication and addition of relaxed SIMD. If it rounds twice, this kernel is silently
// wrong; a feature test by name does not tell.

const OPERANDS: usize = memory.data<f64>([
  134217729.0, 134217729.0, // 2^27 + 1: the square has 55 bits
  4503599627370495.0, 4503599627370493.0, // 2^52 - 1 and 2^52 - 3, operands of the kernels
]);

/** 1 if products are fused in both lanes, for operands as the kernels have them; 0 otherwise. */
export function isFused(): u32 {
  let fused = 1;
  for (let i: usize = 0; i < 32; i += 16) {
    const a = v128.load(OPERANDS + i), b = i64x2.shuffle(a, a, 1, 0);
    const rounded = f64x2.mul(a, b);
    // The rounding error of each product, which only a fused operation sees.
    const error = f64x2.relaxed_madd(a, b, f64x2.neg(rounded));
    fused &= f64x2.extract_lane(error, 0) != 0 && f64x2.extract_lane(error, 1) != 0 ? 1 : 0;
  }
  return fused;
}
