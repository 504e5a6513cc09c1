import { isZero } from "../scalar";
import { FIXED_BYTES, setWorkspace } from "../memory";
import { mul, sqr, ONE, BYTES } from "../fma/field";
import * as simd from "../simd/field";
const W = memory.data(65536, 16);
const A = memory.data(4096, 16);
setWorkspace(W);
describe("x", () => {
  it("y", () => { expect<u32>(isZero(A, 4)).toBe(1); mul(A, ONE, ONE); expect<u32>(isZero(A, 4)).toBe(0); simd.mul(A, simd.ONE, simd.ONE);
    for (let i: usize = 0; i < simd.BYTES; i += 8) expect<u64>(load<u64>(A + i)).toBe(load<u64>(simd.ONE + i));
  });
});
