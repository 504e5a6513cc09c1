// The two prime fields as tags, which name them in generic code, and the sizes of their elements in the kernel of the build.

import "./kernels";

/** F_p of SAKKE parameter set 1. */
@unmanaged export class Fp {
  tag: u64;
}

/** The base field of NIST P-256. */
@unmanaged export class P256 {
  tag: u32;
}

// A tag class has nothing but its size, which the compiler knows.
@inline export function isFp<F>(): bool {
  return offsetof<F>() == 8;
}

@inline export function lanes(): i32 {
  return kernel.LANES;
}

/** Octets of an element vector. */
@inline export function bytes<F>(): usize {
  return isFp<F>() ? kernel.fp.BYTES : kernel.p256.BYTES;
}

/** Octets of a point: the vector of x, then the vector of y. */
@inline export function pointBytes<F>(): usize {
  return bytes<F>() << 1;
}

/** Octets of one element in a table. */
@inline export function entryBytes<F>(): usize {
  return isFp<F>() ? kernel.fp.ENTRY_BYTES : kernel.p256.ENTRY_BYTES;
}

/** 32-bit words of a canonical integer of the field. */
@inline export function words<F>(): i32 {
  return isFp<F>() ? 32 : 8;
}
