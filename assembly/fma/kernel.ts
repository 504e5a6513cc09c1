// The kernel on fused multiply-add, for engines with relaxed SIMD: two lanes.

import { isFused } from "./fused";
import * as fp from "./field";
import * as p256 from "./p256";

export { fp, isFused, p256 };
export * from "./lanes";

/** Whether F_p has scale, a small multiple in one pass. */
export const SCALES: bool = true;
/** Whether F_p has entryMasks and scanLane, a scan for one lane. */
export const SCANS_LANE: bool = true;
/** Whether F_p has mulMinus and sqrMinusBoth, which subtract while they reduce. */
export const FUSES: bool = true;
/** Whether the fields have mulPair, sqrPair and mulAddMulPair, for two pairs of lanes that are the same. */
export const REPEATS: bool = false;
