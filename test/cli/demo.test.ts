import { describe, expect, it } from "vitest";
import { runCli } from "./run-cli.ts";

describe("demo", () => {
  it("seals to all, all open, and what must be refused is", async () => {
    const run = await runCli(["demo", "--members", "5", "--json"]);
    expect(run).toMatchObject({ status: 0, stderr: "" });
    expect(run.json()).toMatchObject({
      status: "ok",
      members: 5,
      sealed: 5,
      opened: 5,
      steps: [
        { name: "issue identity keys", count: 5 },
        { name: "seal the GMK", count: 5 },
        { name: "load members' keys, check RSK", count: 5 },
        { name: "verify and open", count: 5 },
        { name: "seal a new GMK without one", count: 4 },
        { name: "seal a revocation", count: 1 },
      ],
      refusals: [
        { what: "tampered message", check: 41 },
        { what: "replayed message", check: 32 },
        { check: 36 },
        { check: 57 },
      ],
    });
  });

  it("prints progress and a table", async () => {
    const run = await runCli(["demo", "--members", "2"]);
    expect(run.status).toBe(0);
    expect(run.stderr).toContain("seal the GMK: 2/2\n");
    expect(run.stdout).toMatch(/^seal the GMK +2 +[\d.]+ s +[\d.]+ ms +\d+\/s$/m);
    expect(run.stdout).toMatch(/^2 sealed, 2 opened, 4 refused as they must be, in [\d.]+ s\.$/m);
  });
});
