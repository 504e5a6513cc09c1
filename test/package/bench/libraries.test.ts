/** The libraries that the benchmark compares with do the operations that the rows name, and do them right. */
import { describe, expect, it } from "vitest";
import { gmpRows } from "../../../bench/gmp.ts";
import { nobleRows, requireNobleAgreement } from "../../../bench/noble.ts";
import { load } from "../../../bindings/index.ts";
import { World } from "../../../cli/bench/world.ts";

describe("@noble/curves", () => {
  it("agrees with the RFCs and the core, and each of its rows runs", async () => {
    const core = await load();
    requireNobleAgreement(core);
    const world = new World(core);
    for (const row of nobleRows(world)) {
      row.prepare?.();
      const result = row.run();
      if (row.name.startsWith("eccsi.verify")) expect(result, row.name).toBe(true);
    }
    world.destroy();
    core.destroy();
  });
});

describe("GMP", () => {
  it("agrees with the reference on products", async () => {
    const rows = await gmpRows();
    expect(rows.map(({ name }) => name)).toEqual(["field.multiply"]);
    rows[0]!.run();
  });
});
