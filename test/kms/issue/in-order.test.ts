/** Work on several things at a time, with results in order. */
import { describe, expect, it } from "vitest";
import { inOrder, slices } from "../../../roles/kms/issue/in-order.ts";

const turns = async (count: number) => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};

describe("inOrder", () => {
  it("keeps the order, and no more than its width under way", async () => {
    let underWay = 0;
    let most = 0;
    const work = async (n: number) => {
      most = Math.max(most, ++underWay);
      await turns(10 - n);
      underWay--;
      return n;
    };
    const results: number[] = [];
    for await (const n of inOrder([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 3, work, () => {})) results.push(n);
    expect(results).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(most).toBe(3);
  });

  it.each(["an error", "a break"])("hands unfinished work to the drop callback after %s", async (end) => {
    const dropped: number[] = [];
    const work = async (n: number) => {
      await turns(n);
      if (end === "an error" && n === 1) throw new Error("one");
      return n;
    };
    const loop = async () => {
      for await (const n of inOrder([0, 1, 2, 3, 4, 5], 3, work, (n) => dropped.push(n))) {
        if (end === "a break" && n === 1) break;
      }
    };
    if (end === "an error") await expect(loop()).rejects.toThrow("one");
    else await loop();
    expect(dropped).toEqual([2, 3]);
  });
});

it("slices of a list cover all of it", () => {
  expect([...slices([1, 2, 3, 4, 5], 2)]).toEqual([[1, 2], [3, 4], [5]]);
  expect([...slices([], 2)]).toEqual([]);
});
