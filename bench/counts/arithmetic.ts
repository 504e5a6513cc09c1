/** The arithmetic of each row, counted by a core with counters. */
import type { Build } from "../../bindings/core/core.ts";
import type { Row, RowName } from "../../cli/bench/row.ts";
import { packageRows } from "../../cli/bench/rows.ts";
import { World } from "../../cli/bench/world.ts";
import { seededRandom } from "../../test/support/random.ts";
import { issueRow } from "../core-rows.ts";
import { loadCounting, type Tallies } from "../tallies.ts";

/** Calls of a row, of which the last is counted: the first may build tables, and a signer gets one after the third. */
const CALLS = 6;
/** The work of a verification depends on the digits of public values, so these are the same each time. */
const NOW = Date.parse("2026-03-10T12:00:00Z");

export async function rowsOf(world: World): Promise<Row[]> {
  const [message] = await world.seal([world.memberKeys.userUri]);
  return [issueRow(world), ...packageRows(world, message!.octets)];
}

/** Counts of one call of each row, the same in every run. */
export async function countRows(build: Build): Promise<Map<RowName, Tallies>> {
  const { core, take } = await loadCounting(build);
  const world = new World(core, { now: NOW, random: seededRandom("counts") });
  const counts = new Map<RowName, Tallies>();
  for (const row of await rowsOf(world)) {
    for (let call = 0; call < CALLS; call++) {
      row.prepare?.();
      take();
      await row.run();
    }
    counts.set(row.name, take());
  }
  world.destroy();
  core.destroy();
  return counts;
}
