import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { equal, fromHex, toHex } from "../../base/bytes.ts";
import { load } from "../../bindings/core/core.ts";
import { EccsiPublicKey } from "../../bindings/eccsi/index.ts";
import { SakkePublicKey } from "../../bindings/sakke/index.ts";
import { certificatesOf, keySetsOf, readKmsDocument } from "../../documents/kms-xml/index.ts";
import { runCli, temporaryFolder } from "./run-cli.ts";

async function makeKms(...options: string[]) {
  const folder = await temporaryFolder();
  const secrets = join(folder, "kms.secrets.json");
  const cert = join(folder, "kms.xml");
  const args = [
    "kms",
    "init",
    "--kms-uri",
    "kms.example.org",
    "--secrets",
    secrets,
    "--cert",
    cert,
    ...options,
  ];
  return { folder, secrets, cert, args, run: await runCli(args) };
}

describe("kms init", () => {
  it("writes a certificate and secrets that it never prints", async () => {
    const kms = await makeKms(
      "--json",
      "--period",
      "604800",
      "--offset",
      "345600",
      "--domain",
      "example.org",
    );
    expect(kms.run.status).toBe(0);
    expect((await stat(kms.secrets)).mode & 0o777).toBe(0o600);
    const { z, ksak } = JSON.parse(await readFile(kms.secrets, "utf8")) as Record<string, string>;
    expect([fromHex(z!).length, fromHex(ksak!).length]).toEqual([128, 32]);
    const [certificate] = certificatesOf(readKmsDocument(await readFile(kms.cert)));
    expect(certificate).toMatchObject({
      role: "Root",
      kmsUri: "kms.example.org",
      userIdFormat: "2",
      userKeyPeriod: 604800,
      userKeyOffset: 345600,
      kmsDomains: ["example.org"],
    });
    expect(kms.run.json()).toMatchObject({ status: "ok", pubEncKey: toHex(certificate!.pubEncKey) });
    for (const text of [kms.run.stdout, kms.run.stderr, await readFile(kms.cert, "utf8")]) {
      expect(text.toLowerCase()).not.toContain(z!.slice(0, 32));
      expect(text.toLowerCase()).not.toContain(ksak!.slice(0, 32));
    }
  });

  it("does not replace secrets unless forced", async () => {
    const kms = await makeKms();
    const before = await readFile(kms.secrets, "utf8");
    const again = await runCli(kms.args);
    expect(again.status).toBe(73);
    expect(again.stderr).toContain("--force");
    expect(await readFile(kms.secrets, "utf8")).toBe(before);
    expect((await runCli([...kms.args, "--force"])).status).toBe(0);
    expect(await readFile(kms.secrets, "utf8")).not.toBe(before);
  });
});

describe("kms keyprov", () => {
  it("issues valid keys of consecutive periods, the same each time", async () => {
    const kms = await makeKms();
    const out = join(kms.folder, "user.xml");
    const args = [
      "kms",
      "keyprov",
      "--secrets",
      kms.secrets,
      "--cert",
      kms.cert,
      "--user",
      "sip:user@example.org",
    ];
    args.push("--at", "2014-01-26T10:07:14Z", "--periods", "2", "--out", out);
    const run = await runCli([...args, "--json"]);
    expect(run.status).toBe(0);
    expect(run.json()).toMatchObject({ keyPeriods: [1388, 1389], validFrom: "2014-01-03T00:00:00.000Z" });
    expect((await stat(out)).mode & 0o777).toBe(0o600);
    const keySets = keySetsOf(readKmsDocument(await readFile(out)));
    // The example of TS 33.180 F.2.1.2.
    expect(toHex(keySets[0]!.uid!)).toBe("3a81fb14c3b1d0fe43c9c577104d55a6d81788bfd2f09743c4557746a5a0353b");
    expect(keySets.map((k) => new Date(k.validTo!).toISOString())).toEqual([
      "2014-02-02T00:00:00.000Z",
      "2014-03-04T00:00:00.000Z",
    ]);

    const [certificate] = certificatesOf(readKmsDocument(await readFile(kms.cert)));
    const core = await load();
    const zt = SakkePublicKey.load(core, certificate!.pubEncKey);
    const kpak = EccsiPublicKey.load(core, certificate!.pubAuthKey);
    for (const { uid, rsk, ssk, pvt } of keySets) {
      expect(zt.validateRsk(uid!, rsk)).toBe(true);
      expect(kpak.validateSsk(uid!, ssk, pvt)).toBe(true);
      expect(run.stdout).not.toContain(toHex(ssk));
    }
    core.destroy();

    const second = await runCli([...args, "--force"]);
    expect(second.status).toBe(0);
    expect(second.stdout).toContain("1 user, key periods 1388, 1389 (2014-01-03");
    const again = keySetsOf(readKmsDocument(await readFile(out)));
    expect(again.map((k) => equal(k.ssk, keySets[0]!.ssk))).toEqual([true, false]);
  });

  it("writes a file for each user of a list", async () => {
    const kms = await makeKms();
    const users = join(kms.folder, "users.txt");
    await writeFile(users, "sip:a@example.org\n# not b\nsip:c@example.org\n");
    const base = ["kms", "keyprov", "--secrets", kms.secrets, "--cert", kms.cert];
    const run = await runCli([...base, "--users", users, "--out-dir", join(kms.folder, "keys")]);
    expect(run.status).toBe(0);
    expect((await readdir(join(kms.folder, "keys"))).sort()).toEqual([
      "sip%3Aa@example.org.xml",
      "sip%3Ac@example.org.xml",
    ]);
    const cases: [string[], string][] = [
      [["--users", users, "--out", join(kms.folder, "x.xml")], "--out-dir"],
      [["--users", users], "--out"],
      [["--out", join(kms.folder, "x.xml")], "--user"],
      [["--user", "sip:a@example.org", "--users", users, "--out-dir", "x"], "twice"],
    ];
    for (const [options, text] of cases) {
      const wrong = await runCli([...base, ...options]);
      expect(wrong.status).toBe(2);
      expect(wrong.stderr).toContain(text);
    }
  });

  it("refuses secrets of another KMS and files without secrets", async () => {
    const [kms, other] = [await makeKms(), await makeKms()];
    const run = (secrets: string) =>
      runCli([
        "kms",
        "keyprov",
        "--secrets",
        secrets,
        "--cert",
        kms.cert,
        "--user",
        "sip:u@example.org",
        "--out",
        join(kms.folder, "u"),
      ]);
    expect(await run(other.secrets)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("different KMSs"),
    });
    expect(await run(kms.cert)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("not a KMS secrets file"),
    });
  });
});
