/** Counts what the shipped code does, against docs/results/counts.json: no machine is too noisy for that. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Counts, changes, grown, measureCounts } from "../../../bench/counts/counts.ts";

const FILE = new URL("../../../docs/results/counts.json", import.meta.url);
const recorded = JSON.parse(readFileSync(FILE, "utf8")) as Counts;

describe("the counts of operations", () => {
  it("are no larger than recorded; `npm run bench:counts` records them where more has to be done", async () => {
    const counted = await measureCounts();
    expect(Object.keys(counted.arithmetic)).toEqual(Object.keys(recorded.arithmetic));
    expect(Object.keys(counted.statements)).toEqual(Object.keys(recorded.statements));
    expect(grown(changes(recorded, counted))).toEqual([]);
  });

  it("fail for one multiplication more, one statement more, and a new count", () => {
    const { arithmetic, statements } = recorded;
    const sign = arithmetic["eccsi.sign.single"]!;
    const more: Counts = {
      ...recorded,
      arithmetic: {
        ...arithmetic,
        "eccsi.sign.single": {
          sakke: { multiply: 1 },
          p256: { ...sign.p256, multiply: sign.p256.multiply! + 1 },
        },
      },
      statements: { ...statements, "batch of messages claimed": statements["batch of messages claimed"] + 1 },
    };
    expect(grown(changes(recorded, more)).map(({ name }) => name)).toEqual([
      "arithmetic, eccsi.sign.single, p256, multiply",
      "statements, batch of messages claimed",
      "arithmetic, eccsi.sign.single, sakke, multiply",
    ]);
    expect(grown(changes(more, recorded))).toEqual([]);
    expect(changes(more, recorded)).toHaveLength(3);
    expect(changes(recorded, recorded)).toEqual([]);
  });
});
