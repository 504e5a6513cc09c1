/** Tests what an operator does on the command line, with the server running and without it. */
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCli, temporaryFolder } from "../run-cli.ts";
import {
  cli,
  interrupted,
  type KmsProcess,
  keysIn,
  provisionArgs,
  STORY_MS,
  serveKms,
} from "./kms-process.ts";

const ALICE = "sip:alice@example.org";
const GMS = "sip:gms@example.org";

interface Entry {
  action: string;
  outcome: string;
  code?: string;
  userUri?: string;
}

async function auditOf(dataDir: string): Promise<Entry[]> {
  const run = await cli("kms", "audit", "--data-dir", dataDir, "--limit", "10000");
  return run.json<{ entries: Entry[] }>().entries;
}

async function sealAndOpen(folder: string) {
  await writeFile(join(folder, "members.txt"), ALICE);
  const group = ["--group", "sip:fire@example.org", "--members", join(folder, "members.txt")];
  await cli("seal", ...keysIn(join(folder, "gms")), ...group, "--out", join(folder, "sealed"), "--force");
  return openSealed(folder);
}

async function openSealed(folder: string) {
  return (await runCli(["open", ...keysIn(join(folder, "alice")), join(folder, "sealed"), "--json"])).json();
}

async function provisionBoth(kms: KmsProcess, folder: string): Promise<void> {
  await cli(...provisionArgs(kms, GMS, join(folder, "gms")), "--force");
  await cli(...provisionArgs(kms, ALICE, join(folder, "alice")), "--force");
}

describe("the command", { timeout: STORY_MS }, () => {
  it("kms user --revoke keeps a user from getting keys, until reinstated", async () => {
    const folder = await temporaryFolder();
    const kms = await serveKms(join(folder, "kms"));
    const data = ["--data-dir", kms.dataDir];
    expect((await cli("kms", "user", "add", ...data, ALICE, GMS)).json()).toMatchObject({ added: 2 });
    await cli("kms", "user", "revoke", ...data, ALICE, "--reason", "radio lost");
    const refused = await runCli([...provisionArgs(kms, ALICE, join(folder, "alice")), "--json"]);
    expect(refused.status).toBe(1);
    expect(refused.json()).toMatchObject({ kind: "transport", code: "KMS_REFUSED" });
    expect(refused.json<{ message: string }>().message).toContain("40304");
    expect(refused.json<{ next: string }>().next).toContain("audit log");
    expect((await cli("kms", "user", "list", ...data)).json()).toMatchObject({
      users: [{ uri: ALICE, reason: "radio lost" }, { uri: GMS }],
    });

    // The same operations work on the folder of a server that is not running.
    await kms.end("SIGTERM");
    await cli("kms", "user", "reinstate", ...data, ALICE);
    expect(await auditOf(kms.dataDir)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ action: "user-revoke", userUri: ALICE, outcome: "ok" }),
        expect.objectContaining({ outcome: "refused", code: "USER_REVOKED", userUri: ALICE }),
        expect.objectContaining({ action: "user-reinstate", userUri: ALICE, outcome: "ok" }),
      ]),
    );
    const again = await serveKms(join(folder, "kms"));
    await cli(...provisionArgs(again, ALICE, join(folder, "alice")));
    const unknown = await runCli(["kms", "user", "reinstate", ...data, "sip:nobody@example.org", "--json"]);
    expect(unknown.status).toBe(2);
    expect(unknown.json()).toMatchObject({
      code: "USER_UNKNOWN",
      next: expect.stringContaining("kms user add"),
    });
  });

  it("kms token gives a token whose claims decide on the keys", async () => {
    const folder = await temporaryFolder();
    const kms = await serveKms(join(folder, "kms"));
    const { token } = (
      await cli("kms", "token", "--data-dir", kms.dataDir, "--user", ALICE, "--lifetime", "60")
    ).json<{ token: string }>();
    const file = join(folder, "alice.token");
    await writeFile(file, `${token}\n`);
    const args = ["provision", "--kms-url", kms.url, "--ca", kms.ca, "--token-file", file];
    await cli(...args, "--user", ALICE, "--out", join(folder, "alice"));
    const other = await runCli([...args, "--user", GMS, "--out", join(folder, "gms"), "--json"]);
    expect(other.status).toBe(1);
    expect(other.json<{ message: string }>().message).toContain("HTTP 403");
    const none = await runCli([
      ...args.slice(0, -1),
      "/dev/null",
      "--user",
      ALICE,
      "--out",
      join(folder, "x"),
      "--json",
    ]);
    expect(none.status).toBe(1);
    expect(none.json<{ message: string }>().message).toContain("HTTP 401");
  });

  it("provision trusts the server's certificate only when told", async () => {
    const folder = await temporaryFolder();
    const kms = await serveKms(join(folder, "kms"));
    const args = provisionArgs(kms, ALICE, join(folder, "alice")).filter(
      (arg) => arg !== "--ca" && arg !== kms.ca,
    );
    const run = await runCli([...args, "--json"]);
    expect(run.status).toBe(69);
    expect(run.json()).toMatchObject({ code: "TLS_UNTRUSTED", next: expect.stringContaining("--ca") });
  });

  it("kms rotate-master makes a second certificate, and old messages still open", async () => {
    const folder = await temporaryFolder();
    const kms = await serveKms(join(folder, "kms"));
    const data = ["--data-dir", kms.dataDir];
    await provisionBoth(kms, folder);
    expect(await sealAndOpen(folder)).toMatchObject({ accepted: 1 });

    const rotated = await cli("kms", "rotate-master", ...data);
    const { fromPeriod, certUri } = rotated.json<{ fromPeriod: number; certUri: string }>();
    const list = (await cli("kms", "certificate", "list", ...data)).json<{
      certificates: { certUri: string }[];
    }>();
    expect(list.certificates).toHaveLength(2);
    expect(list.certificates[1]!.certUri).toBe(certUri);
    await provisionBoth(kms, folder);
    expect(
      (await readFile(join(folder, "alice", "kms.xml"), "utf8")).match(/<KmsCertificate /g),
    ).toHaveLength(2);
    expect(await openSealed(folder)).toMatchObject({ accepted: 1 });
    expect(await sealAndOpen(folder)).toMatchObject({ accepted: 1 });
    const issued = await cli("kms", "issue", ...data);
    expect(fromPeriod).toBeGreaterThan(issued.json<{ keyPeriod: number }>().keyPeriod);
  });

  it("kms rotate-master --at-once makes it necessary to fetch keys again", async () => {
    const folder = await temporaryFolder();
    const kms = await serveKms(join(folder, "kms"));
    await provisionBoth(kms, folder);
    await cli("kms", "rotate-master", "--data-dir", kms.dataDir, "--at-once");
    await cli(...provisionArgs(kms, GMS, join(folder, "gms")), "--force");
    expect(await sealAndOpen(folder)).toMatchObject({ accepted: 0, refused: 1 });
    await cli(...provisionArgs(kms, ALICE, join(folder, "alice")), "--force");
    expect(await openSealed(folder)).toMatchObject({ accepted: 1 });
  });

  it("kms rotate-store-key keeps the old key for older backups, and it opens nothing else any more", async () => {
    const folder = await temporaryFolder();
    const kms = await serveKms(join(folder, "kms"));
    const data = ["--data-dir", kms.dataDir];
    const file = join(kms.dataDir, "store.key");
    const keys = [await readFile(file, "utf8")];
    const backup = join(folder, "before.backup");
    const { storeKey: mark } = (await cli("backup", backup, ...data)).json<{ storeKey: string }>();
    const rotated = await cli("kms", "rotate-store-key", ...data);
    expect(rotated.json()).toMatchObject({ storeKey: file, kept: `${file}.${mark}` });
    keys.push(await readFile(file, "utf8"));
    await cli(...provisionArgs(kms, ALICE, join(folder, "alice")));
    await kms.end("SIGTERM");
    const { kept } = (await cli("kms", "rotate-store-key", ...data)).json<{ kept: string }>();
    keys.push(await readFile(file, "utf8"));
    expect(new Set(keys).size).toBe(3);
    expect(await Promise.all([`${file}.${mark}`, kept].map((name) => readFile(name, "utf8")))).toEqual(
      keys.slice(0, 2),
    );
    expect((await stat(kept)).mode & 0o777).toBe(0o600);
    const restored = ["--data-dir", join(folder, "restored"), "--store-key", `${file}.${mark}`];
    expect((await cli("restore", backup, ...restored)).json()).toMatchObject({ status: "ok" });
    expect((await cli("kms", "user", "list", ...data)).json()).toMatchObject({ users: [{ uri: ALICE }] });
    for (const old of keys.slice(0, 2)) {
      await writeFile(file, old);
      const run = await runCli(["kms", "user", "list", ...data, "--json"]);
      expect(run.status).toBe(78);
      expect(run.json()).toMatchObject({ code: "WRONG_STORE_KEY" });
    }
    // A rotation that ended between the database and the file.
    await writeFile(`${file}.next`, keys[2]!);
    await cli("kms", "user", "list", ...data);
    expect(await readFile(file, "utf8")).toBe(keys[2]);
    expect(await readFile(kept, "utf8")).toBe(keys[1]);
  });

  it("kms rotate-store-key replaces the store key of a folder that has a GMS only", async () => {
    const data = await temporaryFolder();
    const gms = { kmsUri: "kms.example.org", gmsUri: GMS };
    await writeFile(join(data, "config.json"), JSON.stringify({ gms }));
    const file = join(data, "store.key");
    const old = "0f".repeat(32);
    await writeFile(file, old);
    const { kept } = (await cli("kms", "rotate-store-key", "--data-dir", data)).json<{ kept: string }>();
    expect(await readFile(kept, "utf8")).toBe(old);
    const backup = () => runCli(["backup", join(data, "a.backup"), "--data-dir", data, "--force", "--json"]);
    expect((await backup()).json()).toMatchObject({ status: "ok" });
    await writeFile(file, old);
    expect((await backup()).json()).toMatchObject({ code: "WRONG_STORE_KEY" });
  });

  it("kms issue issues keys for all users, as documents too", async () => {
    const folder = await temporaryFolder();
    const data = ["--data-dir", join(folder, "kms")];
    const users = Array.from({ length: 20 }, (_, i) => `sip:member${i}@example.org`);
    await writeFile(join(folder, "users.txt"), users.join("\n"));
    const kms = await serveKms(join(folder, "kms"));
    await cli("kms", "user", "add", ...data, "--users", join(folder, "users.txt"));
    const first = await cli("kms", "issue", ...data, "--next");
    expect(first.json()).toMatchObject({ issued: 20 });
    expect((await cli("kms", "issue", ...data, "--next")).json()).toMatchObject({ issued: 0 });
    const running = await cli("kms", "issue", ...data, "--out-dir", join(folder, "running"));
    await kms.end("SIGTERM");
    const stopped = await cli("kms", "issue", ...data, "--out-dir", join(folder, "stopped"));
    for (const run of [running, stopped]) expect(run.json()).toMatchObject({ issued: 20 });
    await cli("kms", "certificate", "export", ...data, "--out", join(folder, "kms.xml"));
    const keySetOf = async (name: string) => {
      const text = await readFile(join(folder, name, "sip%3Amember7@example.org.xml"), "utf8");
      return /<KmsKeySet[\s\S]*<\/KmsKeySet>/.exec(text)![0];
    };
    expect(await keySetOf("running")).toBe(await keySetOf("stopped"));
    await writeFile(join(folder, "members.txt"), users[1]!);
    await cli(
      ...[
        "seal",
        "--cert",
        join(folder, "kms.xml"),
        "--keys",
        join(folder, "running", "sip%3Amember0@example.org.xml"),
      ],
      ...[
        "--group",
        "sip:g@example.org",
        "--members",
        join(folder, "members.txt"),
        "--out",
        join(folder, "sealed"),
      ],
    );
    const opened = await cli(
      "open",
      "--cert",
      join(folder, "kms.xml"),
      "--keys",
      join(folder, "running"),
      join(folder, "sealed"),
    );
    expect(opened.json()).toMatchObject({ accepted: 1 });
  });

  it("kms issue goes on with the rest after it was broken off", async () => {
    const folder = await temporaryFolder();
    const data = ["--data-dir", join(folder, "kms")];
    const users = Array.from({ length: 4000 }, (_, i) => `sip:member${i}@example.org`);
    await writeFile(join(folder, "users.txt"), users.join("\n"));
    const kms = await serveKms(join(folder, "kms"));
    await kms.end("SIGTERM");
    await cli("kms", "user", "add", ...data, "--users", join(folder, "users.txt"));
    const first = await interrupted(["kms", "issue", ...data]);
    expect(first.status).toBe(1);
    expect(first.stdout).toMatch(/^broken off after \d+; the same command goes on with the rest$/m);
    const second = await cli("kms", "issue", ...data);
    const { issued } = second.json<{ issued: number }>();
    expect(issued).toBeGreaterThan(0);
    expect(issued).toBeLessThan(4000);
    expect((await cli("kms", "issue", ...data)).json()).toMatchObject({ issued: 0 });
  });
});
