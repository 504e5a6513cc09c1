// The kernel on plain SIMD integers, for engines without relaxed SIMD and processors without fused multiply-add: four
// lanes.

import * as fp from "./field";
import * as p256 from "./p256";

export { fp, p256 };
export * from "./lanes";

/** Whether F_p has scale, a small multiple in one pass. */
export const SCALES: bool = false;
/** Whether F_p has entryMasks and scanLane, a scan for one lane. */
export const SCANS_LANE: bool = false;
/** Whether F_p has mulMinus and sqrMinusBoth, which subtract while they reduce. */
export const FUSES: bool = false;
/** Whether the fields have mulPair, sqrPair and mulAddMulPair, for two pairs of lanes that are the same. */
export const REPEATS: bool = true;

/** 1: nothing here depends on how the host rounds. */
@inline export function isFused(): u32 {
  return 1;
}
