/** The demo: real servers and sockets, with a handful of members. */
import { describe, expect, it } from "vitest";
import { spawnCli } from "./run-cli.ts";

const TIMEOUT = 180_000;

describe("demo", () => {
  it("gives keys over SIP and HTTP, rekeys, removes and revokes", { timeout: TIMEOUT }, async () => {
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
        { name: "start KMS, GMS and SIP" },
        { name: "get identity keys from the KMS", count: 4 },
        { name: "create the group, seal a GMK", count: 4 },
        { name: "subscribe or fetch, check, store", count: 4 },
        { name: "rekey", count: 4 },
        { name: "remove a member, rekey the others", count: 3 },
        { name: "revoke that GMK", count: 3 },
      ],
      checks: [
        { held: 4, of: 4 },
        { held: 4, of: 4 },
        { held: 3, of: 3 },
        { what: "third GMK, with the member who was removed", held: 0, of: 1 },
        { what: "third GMK, revoked", held: 3, of: 3 },
      ],
    });
  });

  it("prints progress and a table", { timeout: TIMEOUT }, async () => {
    const run = await spawnCli(["demo", "--members", "2"]);
    expect(run.status, run.stderr).toBe(0);
    expect(run.stderr).toContain("get identity keys from the KMS: 2/2\n");
    expect(run.stdout).toMatch(/^rekey +2 +[\d.]+ s +[\d.]+ ms +\d+\/s$/m);
    expect(run.stdout).toMatch(/^All as it must be, in [\d.]+ s\.$/m);
  });
});
