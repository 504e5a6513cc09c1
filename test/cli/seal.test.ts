import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCli, temporaryFolder } from "./run-cli.ts";

const GMS = "sip:gms@example.org";
const MEMBERS = ["sip:alice@example.org", "sip:Bob@example.org", "sip:carol@example.org"];

/** A KMS with the keys of a GMS and of three members, in files. */
async function makeWorld() {
  const folder = await temporaryFolder();
  const path = (name: string) => join(folder, name);
  const [secrets, cert, gms, members, keys] = ["kms.json", "kms.xml", "gms.xml", "members.txt", "keys"].map(
    path,
  ) as [string, string, string, string, string];
  await writeFile(members, MEMBERS.join("\n"));
  const kms = ["--secrets", secrets, "--cert", cert];
  for (const args of [
    ["kms", "init", "--kms-uri", "kms.example.org", ...kms],
    ["kms", "keyprov", ...kms, "--user", GMS, "--out", gms],
    ["kms", "keyprov", ...kms, "--users", members, "--out-dir", keys],
  ]) {
    expect((await runCli(args)).status).toBe(0);
  }
  const seal = (out: string, ...options: string[]) =>
    runCli([
      "seal",
      "--cert",
      cert,
      "--keys",
      gms,
      "--group",
      "sip:fire@example.org",
      "--members",
      members,
      "--out",
      out,
      ...options,
    ]);
  const open = (keyFiles: string, ...options: string[]) =>
    runCli(["open", "--cert", cert, "--keys", keyFiles, ...options]);
  return { path, cert, gms, members, keys, seal, open };
}

interface Opened {
  status: string;
  accepted: number;
  refused: number;
  messages: Record<string, unknown>[];
}

describe("seal and open", () => {
  it.each(["alice", "http://alice.example.org", "sip:"])(
    "seal seals nothing when a line of --members is %j, which is no URI of a user",
    async (line) => {
      const { path, members, seal } = await makeWorld();
      await writeFile(members, `${MEMBERS[0]}\n${line}\n`);
      const run = await seal(path("sealed"), "--json");
      expect(run.status).toBe(2);
      expect(run.json()).toMatchObject({
        code: "BAD_URI",
        message: expect.stringContaining(`--members: "${line}" is no URI of a group or a user`),
      });
      expect(await readdir(path("."))).not.toContain("sealed");
    },
  );

  it("give every member the same GMK, and the manifest no secret", async () => {
    const { path, keys, gms, seal, open } = await makeWorld();
    const out = path("sealed");
    const sealed = await seal(out, "--text", "Feuer & Flamme", "--expiry", "2099-12-31", "--to-self");
    expect(sealed.status).toBe(0);
    expect(sealed.stderr).toContain("sealing: 3/3");
    const manifestText = await readFile(join(out, "manifest.json"), "utf8");
    const manifest = JSON.parse(manifestText);
    expect(manifest).toMatchObject({
      group: "sip:fire@example.org",
      initiator: GMS,
      kmsUri: "kms.example.org",
      expiry: "2099-12-31T00:00:00Z",
      toSelf: true,
      messages: MEMBERS.map((member) => ({ member })),
    });
    const files = manifest.messages.map((entry: { file: string }) => entry.file);
    expect((await readdir(out)).sort()).toEqual([...files, "manifest.json"].sort());

    const run = await open(keys, "--reveal", "--json", out);
    expect(run.status).toBe(0);
    const { messages, ...counts } = run.json<Opened>();
    expect(counts).toEqual({ status: "accepted", accepted: 3, refused: 0 });
    for (const message of messages) {
      expect(message).toMatchObject({
        keyKind: "GMK",
        keyId: manifest.gmkId,
        initiator: { uri: GMS },
        text: "Feuer & Flamme",
        groups: ["sip:fire@example.org"],
        expiry: "2099-12-31T00:00:00Z",
        key: messages[0]!.key,
      });
    }
    expect(messages.map((message) => message.ukId).sort()).toEqual(
      manifest.messages.map((entry: { gukId: string }) => entry.gukId).sort(),
    );
    const key = messages[0]!.key as string;
    expect(key).toMatch(/^[0-9a-f]{32}$/);
    for (const text of [manifestText, sealed.stdout, sealed.stderr]) expect(text).not.toContain(key);

    // SAKKE-to-self: the GMS opens them all.
    const own = await open(gms, "--json", out);
    expect(own.json<Opened>()).toMatchObject({ accepted: 3, refused: 0 });
  });

  it("refuse a message that is not for the receiver, tampered with, or repeated", async () => {
    const { path, keys, seal, open } = await makeWorld();
    const out = path("sealed");
    expect((await seal(out, "--json")).json()).toMatchObject({ status: "ok" });
    const alice = join(out, "sip%3Aalice@example.org.mikey");
    const aliceKeys = join(keys, "sip%3Aalice@example.org.xml");
    const octets = await readFile(alice);
    expect((await open(aliceKeys, alice)).stdout).toMatch(/^accepted\n {2}key kind +GMK\n/);

    const folder = await open(aliceKeys, "--json", out);
    expect(folder.status).toBe(1);
    expect(folder.json<Opened>()).toMatchObject({ status: "refused", accepted: 1, refused: 2 });
    expect(folder.json<Opened>().messages.map((m) => m.check)).toEqual(expect.arrayContaining([36]));

    await writeFile(join(out, "z-copy.mikey"), octets);
    octets[300]! ^= 1;
    await writeFile(join(out, "z-tampered.mikey"), octets);
    const all = await open(keys, out);
    expect(all.status).toBe(1);
    expect(all.stdout).toMatch(/^refused {3}.*z-copy\.mikey {2}check 32 REPLAYED/m);
    expect(all.stdout).toMatch(/^refused {3}.*z-tampered\.mikey {2}check 41 BAD_SIGNATURE/m);
    expect(all.stdout).toContain("3 accepted, 2 refused");
  });

  it("hide identities", async () => {
    const { path, keys, seal, open } = await makeWorld();
    const out = path("sealed");
    expect((await seal(out, "--hide-identities")).status).toBe(0);
    for (const name of await readdir(out)) {
      if (!name.endsWith(".mikey")) continue;
      const text = (await readFile(join(out, name))).toString("latin1");
      expect(text).not.toContain("sip:");
      expect(text).toContain("kms.example.org");
    }
    expect((await open(keys, "--from", GMS, out)).stdout).toContain("3 accepted, 0 refused");
    expect((await open(keys, "--from", MEMBERS[0]!, out)).stdout).toContain("check 55");
    expect((await open(keys, out)).stdout).toContain("check 54");
  });

  it("refuse a wrong call, and leave existing files", async () => {
    const { path, cert, members, seal } = await makeWorld();
    const out = path("sealed");
    expect((await seal(out)).status).toBe(0);
    const before = await readFile(join(out, "manifest.json"), "utf8");
    expect(await seal(out)).toMatchObject({ status: 73, stderr: expect.stringContaining("--force") });
    expect(await readFile(join(out, "manifest.json"), "utf8")).toBe(before);
    expect((await seal(out, "--force")).status).toBe(0);
    expect(await seal(path("b"), "--expiry", "2020-01-01")).toMatchObject({ status: 2 });
    expect(await seal(path("b"), "--keys", cert)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("no KmsKeySet"),
    });
    await writeFile(members, `${MEMBERS.join("\n")}\n${MEMBERS[0]}\n`);
    expect(await seal(path("b"))).toMatchObject({ status: 2, stderr: expect.stringContaining("twice") });
  });
});
