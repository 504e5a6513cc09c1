import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCli, temporaryFolder, vector } from "./run-cli.ts";

const published = JSON.parse(readFileSync(vector("production-gmk.json"), "utf8")).message as Record<
  string,
  string
>;
const message = `mikey ${published.i_message_base64}`;
const keysOf = (who: string) => [
  "--cert",
  vector("production-gmk.cert.xml"),
  "--keys",
  vector(`production-gmk.${who}.xml`),
];
const ALICE = ["open", ...keysOf("alice")];
const AT = ["--at", "2025-10-02T23:48:00Z"];
const FROM = ["--from", published.initiator_uri!];

describe("the message of a production system, with keys from KMS files", () => {
  it("is accepted, with the published key and identifiers", async () => {
    const run = await runCli([...ALICE, ...AT, ...FROM, "--reveal", "--json"], message);
    expect(run.status).toBe(0);
    expect(run.json()).toMatchObject({
      status: "accepted",
      keyKind: "GMK",
      keyId: published.key_id,
      ukId: published.guk_id,
      initiator: { uri: published.initiator_uri },
      recipient: { uri: published.responder_uri },
      rand: published.rand,
      time: "2025-10-02T23:47:52Z",
      key: published.key,
    });
  });

  it("shows the key only with --reveal", async () => {
    for (const options of [[], ["--json"]]) {
      const run = await runCli([...ALICE, ...AT, ...FROM, ...options], message);
      expect(run.status).toBe(0);
      expect(run.stdout).toContain(published.key_id);
      expect(run.stdout + run.stderr).not.toContain(published.key);
    }
  });

  it.each([
    ["without the initiator that it hides", AT, 54, "--from"],
    ["from another initiator than named", [...AT, "--from", "sip:other@streamwide.com"], 55, ""],
    ["long after it was sent", FROM, 31, "--at"],
    ["before it was sent", [...FROM, "--at", "2025-10-01"], 31, "--at"],
  ])("is refused %s", async (_, options, check, hint) => {
    const run = await runCli([...ALICE, ...options], message);
    expect(run.status).toBe(1);
    expect(run.stdout).toContain(`refused: check ${check} `);
    expect(run.stdout).toContain(hint);
  });

  it("messages in a folder that are refused for their time share one hint", async () => {
    const folder = await temporaryFolder();
    for (const name of ["one", "two"]) await writeFile(join(folder, `${name}.mikey`), message);
    const run = await runCli([...ALICE, ...FROM, folder]);
    expect(run.status).toBe(1);
    expect(run.stdout).toContain("0 accepted, 2 refused\n");
    expect(run.stdout.match(/give its time with --at/g)).toHaveLength(1);
  });

  it("is refused by another receiver", async () => {
    const run = await runCli(["open", ...keysOf("gms"), ...AT, ...FROM, "--json"], message);
    expect(run.status).toBe(1);
    expect(run.json()).toMatchObject({ status: "refused", check: 36, code: "NOT_FOR_ME" });
  });
});

describe("a wrong call of open", () => {
  it.each([
    [
      "a key file as certificate",
      ["open", "--cert", vector("production-gmk.alice.xml"), "--keys", vector("production-gmk.alice.xml")],
      "no KmsCertificate",
    ],
    [
      "a certificate as key file",
      ["open", "--cert", vector("production-gmk.cert.xml"), "--keys", vector("production-gmk.cert.xml")],
      "no KmsKeySet",
    ],
    [
      "a file that is no XML",
      ["open", "--cert", vector("production-gmk.json"), "--keys", vector("production-gmk.alice.xml")],
      "production-gmk.json: XML document",
    ],
    ["no time", [...ALICE, "--at", "yesterday"], "--at"],
    ["a folder without messages", [...ALICE, vector("../mikey/codec")], "no message inside"],
  ])("with %s ends with 2", async (_, args, text) => {
    const run = await runCli(args, message);
    expect(run).toMatchObject({ status: 2, stdout: "" });
    expect(run.stderr).toContain(text);
  });
});
