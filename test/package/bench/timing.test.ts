/** The statistics of the timing test on samples whose truth is known. */
import { describe, expect, it } from "vitest";
import { BLOCK, blockDifferences, type Sample, trimmedMean } from "../../../bench/timing/blocks.ts";
import type { Case, Class } from "../../../bench/timing/case.ts";
import { passes, runCase, THRESHOLD } from "../../../bench/timing/run.ts";
import { dense, full, small, sparse } from "../../../bench/timing/stage.ts";
import { combine, compareMeans, crop } from "../../../bench/timing/welch.ts";
import { seededRandom } from "../../support/random.ts";

/** Nearly normal noise of variance 1, the same for the same seed. */
function noise(seed: string): () => number {
  const random = seededRandom(seed);
  return () => {
    let sum = -6;
    for (const octet of random(12)) sum += (octet + 0.5) / 256;
    return sum;
  };
}

/** Samples of two classes: `delay` in the second, steps of load that last for 100 samples, and a tail. */
function samples(count: number, delay: number, seed: string): Sample[] {
  const next = noise(seed);
  const coin = seededRandom(`${seed} coin`);
  return Array.from({ length: count }, (_, i) => {
    const choice = (coin(1)[0]! & 1) as Class;
    const load = i % 200 < 100 ? 100 : 150;
    const tail = coin(1)[0]! < 8 ? 500 : 0;
    return { choice, time: load + tail + next() + (choice === 1 ? delay : 0) };
  });
}

const tOf = (delay: number, seed: string) =>
  combine([trimmedMean(blockDifferences(samples(6400, delay, seed)))]);

describe("Welch's test", () => {
  it("gives the t of the textbook", () => {
    const a = [27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19.0, 21.7, 21.4];
    const b = [27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0, 24.8, 20.2, 21.9, 22.1, 22.9, 20.5, 24.4];
    expect(combine([compareMeans(a, b)]).t).toBeCloseTo(2.46, 2);
  });

  it("crops both sides at one bound, and neither where that would crop nearly all of one", () => {
    const a = [1, 2, 3, 4, 100];
    const b = [2, 3, 4, 5, 90];
    expect(crop(a, b, 0.8)).toEqual([
      [1, 2, 3, 4],
      [2, 3, 4, 5],
    ]);
    const far = b.map((x) => x + 1000);
    expect(crop(a, far, 0.5)).toEqual([a, far]);
  });

  it("weighs rounds by how exact they are", () => {
    const { difference, error } = combine([
      { difference: 1, variance: 1 },
      { difference: 5, variance: 100 },
    ]);
    expect(difference).toBeCloseTo(1.0396, 3);
    expect(error).toBeLessThan(1);
  });

  it("refuses to judge without data", () => {
    expect(() => compareMeans([1], [1, 2])).toThrow(RangeError);
    expect(() => trimmedMean([1, 2, 3])).toThrow(RangeError);
  });
});

describe("blocks of timings", () => {
  it("show no difference where there is none, whatever the load", () => {
    const ts = Array.from({ length: 20 }, (_, i) => tOf(0, `calm ${i}`).t);
    for (const t of ts) expect(Math.abs(t)).toBeLessThan(THRESHOLD);
    const spread = Math.sqrt(ts.reduce((sum, t) => sum + t * t, 0) / ts.length);
    expect(spread).toBeGreaterThan(0.5);
    expect(spread).toBeLessThan(1.7);
  });

  it("show a delay much smaller than the load, and its size", () => {
    const { t, difference } = tOf(0.5, "leak");
    expect(t).toBeGreaterThan(THRESHOLD);
    expect(difference).toBeCloseTo(0.5, 0);
  });

  it("are skipped if they have one class only", () => {
    const one: Sample[] = Array.from({ length: BLOCK }, () => ({ choice: 0, time: 1 }));
    expect(blockDifferences(one)).toEqual([]);
  });
});

describe("a case of the timing test", () => {
  const spin = (count: number) => {
    let x = 1;
    for (let i = 0; i < count; i++) x = (x * 1103515245 + 12345) & 0x7fffffff;
    return x;
  };
  const timed = (kind: Case["kind"], counts: readonly [number, number]) => {
    let count = 0;
    const set = (choice: Class) => {
      count = counts[choice];
    };
    const subject: Case = { kind, name: "spin", classes: ["a", "b"], set, run: () => void spin(count) };
    return runCase(subject, { rounds: 2, budget: 50 });
  };

  it("passes for equal work and is caught for unequal", () => {
    expect(passes("shipped", timed("shipped", [20_000, 20_000]))).toBe(true);
    const leaky = timed("leaky", [20_000, 30_000]);
    expect(passes("leaky", leaky)).toBe(true);
    expect(passes("shipped", leaky)).toBe(false);
    expect(leaky.blocks.difference).toBeGreaterThan(0);
  });
});

describe("scalar classes of the timing test", () => {
  const weight = (octets: Uint8Array) =>
    octets.reduce((sum, octet) => sum + octet.toString(2).replaceAll("0", "").length, 0);

  it.each([32, 128])("have the bits that they name, in %i octets", (bytes) => {
    for (let i = 0; i < 20; i++) {
      expect(weight(sparse(bytes))).toBe(4);
      expect(weight(full(bytes))).toBe(8 * bytes - 3 - 4);
      expect(dense(bytes)[0]).toBeLessThan(0x20);
    }
    expect(weight(small(bytes, 3))).toBe(2);
  });
});
