/** Tests what processes report of themselves: since when, how their clocks differ, and which of them live. */
import { describe, expect, it } from "vitest";
import { Processes } from "../../store/database/processes.ts";
import { givenClock } from "../../store/database/sql-clock.ts";
import { onEachDatabase } from "../support/databases.ts";
import { NOW } from "../support/names.ts";

const LIFE = 45_000;

onEachDatabase("processes", ({ fresh }) => {
  describe("reports of processes", () => {
    async function world() {
      const time = { now: NOW };
      const list = new Processes(
        await fresh(),
        givenClock(() => time.now),
      );
      const report = (name: string, ahead = 0, fault?: string) =>
        list.report({ server: "gms", name, hostNow: time.now + ahead, ...(fault && { fault }) }, LIFE);
      return { time, list, report };
    }

    it("tell how far the clock of each host is from that of the database, and what is wrong", async () => {
      const { list, report } = await world();
      await report("b", -120, "CLOCK_OFF");
      await report("a", 250);
      await list.report({ server: "mcx", name: "a", hostNow: NOW }, LIFE);
      const at = { server: "gms", since: NOW, seenAt: NOW };
      expect(await list.list("gms")).toEqual([
        { ...at, name: "a", clockAhead: 250 },
        { ...at, name: "b", clockAhead: -120, fault: "CLOCK_OFF" },
      ]);
      expect(await list.list("mcx")).toEqual([{ ...at, server: "mcx", name: "a", clockAhead: 0 }]);
    });

    it("keep the time of the first one while they follow each other, and lose it after a gap", async () => {
      const { time, list, report } = await world();
      await report("a", 0, "NO_SIGNING_KEY");
      time.now += LIFE - 1;
      await report("a");
      expect(await list.list("gms")).toMatchObject([{ since: NOW, seenAt: time.now }]);
      expect((await list.list("gms"))[0]).not.toHaveProperty("fault");
      time.now += LIFE;
      expect(await list.list("gms")).toEqual([]);
      await report("a");
      expect(await list.list("gms")).toMatchObject([{ since: time.now }]);
    });

    it("are deleted with the process, and those of dead processes with the next one that ends", async () => {
      const { time, list, report } = await world();
      await report("died");
      time.now += LIFE;
      await report("ends");
      await report("stays");
      await list.end("gms", "ends");
      expect((await list.list("gms")).map(({ name }) => name)).toEqual(["stays"]);
      time.now -= LIFE;
      expect((await list.list("gms")).map(({ name }) => name)).toEqual(["stays"]);
    });
  });
});
