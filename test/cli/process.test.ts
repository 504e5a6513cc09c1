import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { spawnCli, vector } from "./run-cli.ts";

const published = JSON.parse(readFileSync(vector("production-gmk.json"), "utf8")).message as Record<
  string,
  string
>;

/** Everything else is tested inside the test process. */
describe("the exit status of the process", () => {
  const keys = ["--cert", vector("production-gmk.cert.xml"), "--keys", vector("production-gmk.alice.xml")];
  const open = [
    "open",
    ...keys,
    "--from",
    published.initiator_uri!,
    "--at",
    "2025-10-02T23:48:00Z",
    "--json",
  ];

  it("is 0 for an accepted message", async () => {
    const run = await spawnCli(open, published.i_message_base64);
    expect(run).toMatchObject({ status: 0, stderr: "" });
    expect(run.json()).toMatchObject({ status: "accepted", keyId: published.key_id });
  });

  it("is 1 for a refused message", async () => {
    const run = await spawnCli(open, published.i_message_base64!.replace("AAAA", "AAAB"));
    expect(run).toMatchObject({ status: 1, stderr: "" });
    expect(run.json()).toMatchObject({ status: "refused", check: expect.any(Number) });
  });

  it("is 2 for wrong usage", async () => {
    expect(await spawnCli(["open"])).toMatchObject({ status: 2, stdout: "" });
  });

  it("is 0 for help", async () => {
    expect(await spawnCli(["--help"])).toMatchObject({ status: 0, stderr: "" });
  });
});
