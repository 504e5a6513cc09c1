/** Whole processes whose clock is wrong (faketime), beside one whose clock is right, on one PostgreSQL. */
import { type ChildProcess, spawn } from "node:child_process";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Database, openDatabase } from "../../../store/index.ts";
import { describeWith } from "../../support/foreign.ts";
import { type Cluster, startPostgres } from "../../support/postgres.ts";
import { makeWorld } from "../memory-gms.ts";

const FAKETIME = "/usr/bin/faketime";
const SCRIPT = new URL("children/rekey.ts", import.meta.url).pathname;
const GROUP = "sip:group@home.example";

describeWith("faketime", FAKETIME, "processes whose clock differs", () => {
  let cluster: Cluster;
  let url: string;
  let db: Database;
  beforeAll(async () => {
    cluster = await startPostgres();
    url = await cluster.createDatabase();
    db = await openDatabase({ url });
  });
  afterAll(async () => {
    await db.close();
    await cluster.stop();
  });

  it.each(["+1h", "-1h", "+40d"])(
    "shifts a process by %s, which plans nothing and is not ready, and members accept what others send",
    async (shift) => {
      const wrong = await said(spawn(FAKETIME, ["-f", shift, process.execPath, ...script(url)]));
      expect(wrong).toEqual({ ready: "CLOCK_OFF", rekey: "CLOCK_OFF" });
      const right = await said(spawn(process.execPath, script(url)));
      expect(right).toEqual({ ready: "ok", rekey: "ok" });
      const world = await makeWorld({ database: db, now: Date.now(), storeTime: "database" });
      try {
        const { rows } = await db.query<{ uri: string }>(
          "SELECT member_uri AS uri FROM gms_member ORDER BY member_uri",
        );
        expect(rows).toHaveLength(3);
        for (const { uri } of rows) {
          const [message] = await world.store.gktpOf(uri);
          expect(await world.open(message!.octets, uri), uri).toMatchObject({ outcome: "accepted" });
        }
        const gmks = await world.store.gmks(GROUP);
        for (const { createdAt } of gmks) expect(Math.abs(createdAt - Date.now())).toBeLessThan(600_000);
      } finally {
        await world.close();
      }
    },
  );
});

const script = (url: string) => ["--import", "tsx", SCRIPT, url];

/** The last line, which is its result. */
async function said(child: ChildProcess): Promise<unknown> {
  let [text, errors] = ["", ""];
  child.stdout!.setEncoding("utf8").on("data", (more: string) => {
    text += more;
  });
  child.stderr!.setEncoding("utf8").on("data", (more: string) => {
    errors += more;
  });
  const code = await new Promise((resolve) => child.once("close", resolve));
  if (code !== 0) throw new Error(`it ended with ${code}: ${errors}`);
  return JSON.parse(text.trim().split("\n").at(-1)!);
}
