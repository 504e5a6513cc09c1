// Tells a host what it has to know of the build.

import "./kernels";

/** 1 if the host computes as the kernel needs it, 0 if it must take the other build. */
export function isFused(): u32 {
  return kernel.isFused();
}

/** Lanes of an element vector: 2 in the FMA build, 4 in the SIMD build. */
export function laneCount(): i32 {
  return kernel.LANES;
}
