/** The demo: real servers and sockets, with a handful of members. */
import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { spawnCli, startCli } from "./run-cli.ts";

/** No step may take longer than a minute without going on: the demo itself ends what hangs. */
const TIMEOUT = 600_000;

describe("the demo", () => {
  it("gives keys, rekeys, removes; sends talk, data and mixed media under the key; revokes", {
    timeout: TIMEOUT,
  }, async () => {
    const run = await spawnCli(["demo", "--members", "4", "--json"]);
    expect(run.status, run.stderr).toBe(0);
    const { gmkIds, ...result } = run.json<{ gmkIds: string[] } & Record<string, unknown>>();
    expect(new Set(gmkIds).size).toBe(3);
    expect(result).toMatchObject({
      status: "ok",
      members: 4,
      sip: 2,
      http: 2,
      steps: [
        { name: "start KMS, GMS and MCX server" },
        { name: "get identity keys from the KMS", count: 4 },
        { name: "create the group, seal a GMK", count: 4 },
        { name: "subscribe or fetch, check, store", count: 4 },
        { name: "rekey", count: 4 },
        { name: "remove a member, rekey the others", count: 3 },
        { name: "give the MCX server the key of a group to mix", count: 4 },
        { name: "upload a CSK to the MCX server", count: 4 },
        { name: "join the group call", count: 3 },
        { name: "ask to join as the member who was removed", count: 1 },
        { name: "one member talks for a second and all others hear it", count: 2 },
        { name: "send short data to all others", count: 2 },
        { name: "leave the group call", count: 3 },
        { name: "two members talk at once and the server mixes them", count: 1 },
        { name: "revoke the third GMK", count: 3 },
      ],
      checks: [
        { held: 4, of: 4, expected: 4 },
        { held: 4, of: 4 },
        { held: 3, of: 3 },
        { what: "third GMK, held by the removed member (must be 0)", held: 0, of: 1 },
        { what: "the tone that the talker sent, and nothing else", held: 2, of: 2 },
        { what: "packets opened with the removed member's keys (must be 0)", held: 0 },
        { what: "group call, entered by the removed member (must be 0)", held: 0, of: 1 },
        { what: "the text, decrypted", held: 2, of: 2 },
        { what: "both tones in one stream of the server", held: 1, of: 1 },
        { what: "third GMK, revoked", held: 3, of: 3 },
      ],
      measures: [{ what: "members who heard that second without a gap (for information only)", of: 2 }],
    });
    const overheard = (result.checks as { what: string; of: number }[]).find(({ what }) =>
      what.startsWith("packets opened with the removed member"),
    );
    expect(overheard?.of).toBeGreaterThan(0);
  });

  it("prints progress and a table", { timeout: TIMEOUT }, async () => {
    const run = await spawnCli(["demo", "--members", "3"]);
    expect(run.status, run.stderr).toBe(0);
    expect(run.stderr).toContain("get identity keys from the KMS: 3/3\n");
    expect(run.stdout).toMatch(/^rekey +3 +[\d.]+ s +[\d.]+ ms +\d+\/s$/m);
    expect(run.stdout).toMatch(
      /^members who heard that second without a gap \(for information only\): \d of 1/m,
    );
    expect(run.stdout).toMatch(/^Everything is as it must be\. The demo took [\d.]+ s\.$/m);
  });

  it("prints the table and what to do when a step fails, and ends with 1", { timeout: TIMEOUT }, async () => {
    // Servers that cannot start.
    const environment = { MIKEY_SAKKE_KMS_WORKERS: "none" };
    const run = await spawnCli(["demo", "--members", "3"], "", environment);
    expect(run.status, run.stderr).toBe(1);
    expect(run.stdout).toMatch(/^start KMS, GMS and MCX server +[\d.]+ s$/m);
    expect(run.stdout).toMatch(/^Not everything is as it must be\. The demo took [\d.]+ s\.$/m);
    expect(run.stderr).toContain("the servers of the demo: ");
    const json = await spawnCli(["demo", "--members", "3", "--json"], "", environment);
    expect(json.json()).toMatchObject({
      status: "failed",
      steps: [{ name: "start KMS, GMS and MCX server" }],
      checks: [],
      failure: { code: "DEMO_SERVERS" },
    });
  });

  it.runIf(process.platform === "linux")(
    "prints what it found out until its servers died, and ends with 1",
    { timeout: TIMEOUT },
    async () => {
      const demo = startCli(["demo", "--members", "4"]);
      await demo.shows("rekey: 0/4");
      const children = await readFile(`/proc/${demo.pid}/task/${demo.pid}/children`, "utf8");
      for (const pid of children.trim().split(" ")) {
        if ((await readFile(`/proc/${pid}/cmdline`, "utf8")).includes("\0serve\0"))
          process.kill(Number(pid), "SIGKILL");
      }
      const run = await demo.ended;
      expect(run.status, run.stderr).toBe(1);
      expect(run.stdout).toMatch(/^first GMK, the same for all +4 +4$/m);
      expect(run.stdout).toMatch(/^Not everything is as it must be\. The demo took /m);
      expect(run.stderr).toContain("the servers of the demo: ended with SIGKILL");
    },
  );
});
