/** The wait before the next try. */
import { describe, expect, it } from "vitest";
import { backOff } from "../../base/back-off.ts";

const least = (length: number) => new Uint8Array(length);
const most = (length: number) => new Uint8Array(length).fill(255);

describe("the wait before the next try", () => {
  const span = { firstMs: 1000, longestMs: 300_000 };

  it("doubles with each failure, between a half of the span and all of it", () => {
    const waits = [0, 1, 2, 3, 4].map((failures) => backOff({ ...span, failures }, least));
    expect(waits).toEqual([500, 500, 1000, 2000, 4000]);
    expect(backOff({ ...span, failures: 1 }, most)).toBe(1000);
  });

  it("is never longer than it may be, and has a bound from below where one is given", () => {
    expect(backOff({ ...span, failures: 1000 }, most)).toBe(300_000);
    expect(backOff({ ...span, failures: 1, leastMs: 60_000 }, least)).toBe(30_000);
    expect(backOff({ ...span, failures: 1000, leastMs: 400_000 }, most)).toBe(300_000);
  });
});
