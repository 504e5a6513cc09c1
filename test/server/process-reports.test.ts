/** A process reports itself at a steady pace, says why it is not ready, and takes its report back when it ends. */
import { describe, expect, it } from "vitest";
import { MikeySakkeError } from "../../base/errors.ts";
import { ProcessReports, type ProcessStore } from "../../roles/server/process-reports.ts";
import { settle, VirtualClock } from "../support/clock.ts";

function world(shared = true) {
  const clock = new VirtualClock();
  const told: string[] = [];
  const state: { fault: Error | undefined; isDown: boolean } = { fault: undefined, isDown: false };
  const store: ProcessStore = {
    async report({ name, fault: code }) {
      if (state.isDown) throw new Error("no database");
      told.push(`${name} ${code ?? "ready"}`);
    },
    async end(_server, name) {
      told.push(`${name} ended`);
    },
    list: async () => [],
  };
  const reports = new ProcessReports({
    server: "gms",
    name: "one",
    store: shared ? store : undefined,
    ready: async () => {
      if (state.fault !== undefined) throw state.fault;
    },
    timer: clock,
    now: () => clock.now(),
  });
  return { clock, told, reports, state };
}

describe("reports of a process", () => {
  it("come at once and four times a minute, with the code of what is wrong", async () => {
    const here = world();
    here.reports.start();
    await settle();
    here.state.fault = new MikeySakkeError("transport", "CLOCK_OFF", "the clock is wrong");
    await here.clock.pass(15_000);
    here.state.fault = new Error("anything else");
    await here.clock.pass(15_000);
    expect(here.told).toEqual(["one ready", "one CLOCK_OFF", "one INTERNAL"]);
    await here.reports.close();
  });

  it("go on after a database that did not answer", async () => {
    const here = world();
    here.state.isDown = true;
    here.reports.start();
    await here.clock.pass(15_000);
    here.state.isDown = false;
    await here.clock.pass(15_000);
    expect(here.told).toEqual(["one ready"]);
    await here.reports.close();
  });

  it("end with the process, once", async () => {
    const here = world();
    here.reports.start();
    await here.reports.close();
    await here.reports.close();
    expect(here.told).toEqual(["one ready", "one ended"]);
    expect(here.clock.pending).toBe(0);
  });

  it("cover this process alone where no database is shared", async () => {
    const here = world(false);
    here.reports.start();
    const since = here.clock.now();
    await here.clock.pass(60_000);
    expect(await here.reports.list()).toEqual([
      { server: "gms", name: "one", since, seenAt: since + 60_000, clockAhead: 0 },
    ]);
    here.state.fault = new MikeySakkeError("transport", "LEASE_OVER", "over");
    expect(await here.reports.list()).toMatchObject([{ fault: "LEASE_OVER" }]);
    await here.reports.close();
  });
});
