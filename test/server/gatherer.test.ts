/** Calls that come at the same time share a batch. */
import { describe, expect, it } from "vitest";
import { MikeySakkeError } from "../../base/errors.ts";
import { Gatherer } from "../../roles/server/gatherer.ts";

const turns = async (count: number) => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};

describe("a gatherer", () => {
  function make(work: (items: readonly number[]) => Promise<string[]>) {
    const batches: number[][] = [];
    const gatherer = new Gatherer<number, string>((items) => {
      batches.push([...items]);
      return work(items);
    }, 4);
    return { batches, gatherer };
  }
  const names = async (items: readonly number[]) => items.map(String);

  it("batches the calls of one turn, up to its size, and answers each", async () => {
    const { batches, gatherer } = make(names);
    const answers = await Promise.all(
      [[1], [2, 3], [4, 5], [6, 7, 8, 9, 10], [11]].map((n) => gatherer.add(n)),
    );
    expect(answers).toEqual([["1"], ["2", "3"], ["4", "5"], ["6", "7", "8", "9", "10"], ["11"]]);
    expect(batches).toEqual([[1, 2, 3], [4, 5], [6, 7, 8, 9, 10], [11]]);
  });

  it("batches calls that come while a batch is at work", async () => {
    const { batches, gatherer } = make(async (items) => {
      await turns(3);
      return names(items);
    });
    const first = gatherer.add([1]);
    await turns(2);
    const others = [gatherer.add([2]), gatherer.add([3])];
    await turns(1);
    expect(await Promise.all([first, ...others])).toEqual([["1"], ["2"], ["3"]]);
    expect(batches).toEqual([[1], [2, 3]]);
    expect(await gatherer.add([4])).toEqual(["4"]);
  });

  it("rejects only the call that causes an error", async () => {
    const { gatherer } = make(async (items) => {
      if (items.includes(2)) throw new MikeySakkeError("usage", "USER_REVOKED", "user 2: revoked");
      return names(items);
    });
    const answers = await Promise.allSettled([gatherer.add([1]), gatherer.add([2]), gatherer.add([3])]);
    expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  });

  it("does not retry one by one when the database is gone", async () => {
    const { batches, gatherer } = make(async () => {
      throw new MikeySakkeError("transport", "STORE_LOST", "gone");
    });
    const answers = await Promise.allSettled([gatherer.add([1]), gatherer.add([2])]);
    expect(answers.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(batches).toEqual([[1, 2]]);
  });
});
