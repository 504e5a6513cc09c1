import type { RandomSource } from "../../../base/random.ts";

const FIRST_MS = 1000;

/**
 * Milliseconds to the next try after `failures` in a row: about a second, then twice as long each time, with a spread of
 * a half so that those who failed together do not come back together.
 */
export function backOff(failures: number, longestSeconds: number, random: RandomSource): number {
  const longest = Math.min(FIRST_MS * 2 ** Math.min(Math.max(failures - 1, 0), 20), longestSeconds * 1000);
  const [high = 0, low = 0] = random(2);
  return Math.round((longest * (1 + (high * 256 + low) / 65536)) / 2);
}
