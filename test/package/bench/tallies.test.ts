/** The arithmetic that a core does, counted: it is the same for all secrets, and what docs/performance.md says it is. */
import { beforeAll, describe, expect, it } from "vitest";
import { type CountingCore, loadCounting, type Tallies } from "../../../bench/tallies.ts";
import type { Case } from "../../../bench/timing/case.ts";
import { eccsiCases } from "../../../bench/timing/eccsi-cases.ts";
import { sakkeCases } from "../../../bench/timing/sakke-cases.ts";
import { World } from "../../../cli/bench/world.ts";

describe.each(["fma", "simd"] as const)("the counts of the %s build", (build) => {
  let counting: CountingCore;
  let world: World;
  let cases: Case[];

  beforeAll(async () => {
    counting = await loadCounting(build);
    world = new World(counting.core);
    cases = [...sakkeCases(world), ...eccsiCases(counting.core)];
  }, 120_000);

  function count(work: () => unknown): Tallies {
    counting.take();
    work();
    return counting.take();
  }

  it("are equal for both classes of secrets, in every case of the timing test", () => {
    const differing = cases.filter(({ set, run }) => {
      const [first, second, third] = ([0, 1, 1] as const).map((choice) => {
        set(choice);
        return JSON.stringify(count(run));
      });
      return first !== second || second !== third;
    });
    expect(differing.map(({ name, classes }) => `${name}: ${classes.join(" / ")}`)).toEqual([]);
    expect(cases.length).toBeGreaterThan(15);
  });

  it("are 292 additions and 146 powers for each receiver of a batch", () => {
    const n = 64;
    const { sakke } = count(() => world.domain.encryption.encapsulateBatch(world.freshUids(n), world.ssv));
    const each = (vectors: number) => (vectors * counting.core.wasm.laneCount()) / n;
    // 5M + 1S an addition, 2M a power after the first, and a few for conversions and shared inversions.
    const [additions, powers] = [2 * 146 - 1, 146 - 1];
    expect(each(sakke.square)).toBe(additions);
    expect(each(sakke.multiply)).toBeGreaterThanOrEqual(5 * additions + 2 * powers);
    expect(each(sakke.multiply)).toBeLessThan(1.02 * (5 * additions + 2 * powers));
    // Nine levels of the tree and the powers, one inversion for each pair of lanes.
    expect(sakke.invert).toBe(10 * Math.max(1, counting.core.wasm.laneCount() / 2));
  });

  it("include all that they should count", () => {
    const { sakke, p256 } = count(() =>
      world.signer.sign(world.text, (n) => world.freshUids(1)[0]!.subarray(0, n)),
    );
    expect(sakke.multiply + sakke.square).toBe(0);
    expect(p256.multiply).toBeGreaterThan(40);
    expect(p256.invert).toBeGreaterThan(0);
  });
});
