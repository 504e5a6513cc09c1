/** The gate against losses, on figures that are given. */
import { describe, expect, it } from "vitest";
import { compare, type Figures, type Side } from "../../../bench/compare/judge.ts";

const ROUNDS = 3;

/** Runs that take so long, one after the other, and the last of them for ever. */
function side(name: string, turns: string[], ...times: readonly number[]): Side {
  let turn = 0;
  return {
    run(): Figures {
      turns.push(name);
      return { sign: times[Math.min(turn++, times.length - 1)]!, other: 1 };
    },
  };
}

const compared = (before: readonly number[], after: readonly number[]) => {
  const turns: string[] = [];
  const names = ["sign", "other"];
  const result = compare(side("a", turns, ...before), side("b", turns, ...after), names, ROUNDS);
  return { ...result, turns: turns.join("") };
};

describe("the comparison of two commits", () => {
  it("passes after one series where nothing is slower, with both sides in turns", () => {
    const { lost, series, turns } = compared([100], [105]);
    expect(turns).toBe("ababab");
    expect(lost).toEqual([]);
    expect(series).toEqual([
      [
        { name: "sign", before: 100, after: 105, ratio: 1.05, ratios: [1.05, 1.05, 1.05] },
        { name: "other", before: 1, after: 1, ratio: 1, ratios: [1, 1, 1] },
      ],
    ]);
  });

  it("fails for what is more than 5 % slower in both series", () => {
    const { lost, series, turns } = compared([100], [105.1]);
    expect(lost).toEqual(["sign"]);
    expect(series).toHaveLength(2);
    expect(turns).toBe("abababababab");
  });

  it("forgives a loss that does not repeat", () => {
    const { lost, series } = compared([100], [120, 120, 120, 100]);
    expect(series.map(([sign]) => sign!.ratio)).toEqual([1.2, 1]);
    expect(lost).toEqual([]);
  });

  it("takes the median of neighbours, so that neither one bad process nor a slow spell of the machine decides", () => {
    expect(compared([100], [300, 100, 100]).lost).toEqual([]);
    expect(compared([100, 200, 200], [101, 202, 202]).series[0]![0]!.ratio).toBe(1.01);
  });

  it("names a row that one side does not have", () => {
    const turns: string[] = [];
    expect(() => compare(side("a", turns, 1), side("b", turns, 1), ["open"], ROUNDS)).toThrow(
      "open: one side has no such row",
    );
  });
});
