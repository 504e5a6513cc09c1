/** Names and figures of a report, which tools and readers of old results rely on. */
import { expect, it } from "vitest";
import { reportRows } from "../../../bench/report.ts";
import type { Samples } from "../../../bench/rounds.ts";
import { TARGETS } from "../../../bench/targets.ts";
import { ROW_NAMES } from "../../../cli/bench/row.ts";
import { rounded, sample, timing } from "../../../cli/bench/sampling.ts";

it("the benchmark report keeps the names of its rows", () => {
  expect(ROW_NAMES).toEqual([
    "field.multiply",
    "sakke.encapsulate.batch",
    "sakke.encapsulate.single",
    "sakke.decapsulate",
    "sakke.decapsulate.prepared",
    "sakke.issue.batch",
    "sakke.validate",
    "eccsi.sign.batch",
    "eccsi.sign.single",
    "eccsi.verify",
    "eccsi.verify.batch",
    "eccsi.verify.known",
    "kms.issue.batch",
    "imessage.seal.batch",
    "imessage.open",
    "imessage.first",
    "start.receiver",
  ]);
});

it("the benchmark report keeps best and median, and the ratio of the bests", () => {
  const samples: Samples = new Map([
    ["sakke.validate", { fma: [3, 2, 10], bigint: [50, 40, 41, 60], simd: [7] }],
    ["eccsi.verify", { simd: [4, 5] }],
    ["eccsi.sign.single", { bigint: [1] }],
  ]);
  const rows = reportRows(samples, { "eccsi.verify": { best: 1, median: 2, samples: 3 } });
  expect(rows).toEqual([
    {
      name: "sakke.validate",
      title: "SAKKE: user validates an RSK",
      fma: { best: 2, median: 3, samples: 3 },
      simd: { best: 7, median: 7, samples: 1 },
      bigint: { best: 40, median: 45.5, samples: 4 },
      ratio: 20,
      target: TARGETS["sakke.validate"],
    },
    {
      name: "eccsi.verify",
      title: "ECCSI verify, signer never seen before",
      simd: { best: 4, median: 4.5, samples: 2 },
      native: { best: 1, median: 2, samples: 3 },
      target: TARGETS["eccsi.verify"],
    },
  ]);
});

it("the benchmark samples at least once, prepares before each call, and waits for promises", async () => {
  let prepared = 0;
  let done = 0;
  const row = {
    name: "imessage.open" as const,
    operations: 10,
    prepare: () => {
      prepared++;
    },
    run: async () => {
      await new Promise((resolve) => setTimeout(resolve, 3));
      done++;
    },
  };
  const once = await sample(row, 0);
  expect([once.length, prepared, done]).toEqual([1, 1, 1]);
  // 3 ms for ten operations; timers may fire a little early.
  expect(once[0]).toBeGreaterThan(200);
  expect((await sample(row, 200)).length).toBeGreaterThan(1);
  expect(() => timing([])).toThrow(RangeError);
  expect(rounded(1234.56)).toBe(1235);
});
