/** `serve kms` through its life: first start, a second at the same place, kill -9, a graceful end. */
import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { selfSigned } from "../../../cli/server/self-signed.ts";
import { runCli, spawnCli, temporaryFolder } from "../run-cli.ts";
import { cli, provisionArgs, STORY_MS, serveKms } from "./kms-process.ts";

const ALICE = "sip:alice@example.org";

async function keySets(folder: string): Promise<string[]> {
  const text = await readFile(join(folder, "keys.xml"), "utf8");
  return Array.from(text.matchAll(/<KmsKeySet[\s\S]*?<\/KmsKeySet>/g), ([keySet]) => keySet);
}

describe("serve kms", { timeout: STORY_MS }, () => {
  it("makes a data folder that only its owner can read", async () => {
    const folder = await temporaryFolder();
    const kms = await serveKms(join(folder, "kms"), "--kms-uri", "kms.example.org");
    const modeOf = async (name: string) => ((await stat(join(kms.dataDir, name))).mode & 0o777).toString(8);
    expect(await modeOf(".")).toBe("700");
    for (const name of ["store.key", "tls.key", "token.key", "admin.json"])
      expect(await modeOf(name)).toBe("600");
    expect(JSON.parse(await readFile(join(kms.dataDir, "config.json"), "utf8"))).toEqual({
      kmsUri: "kms.example.org",
    });
    const key = (await readFile(join(kms.dataDir, "store.key"), "utf8")).trim();
    const { token } = JSON.parse(await readFile(join(kms.dataDir, "admin.json"), "utf8"));
    expect(kms.log()).not.toContain(key);
    expect(kms.log()).not.toContain(token);
  });

  it("goes on after kill -9 with the same keys for the same user", async () => {
    const folder = await temporaryFolder();
    const data = join(folder, "kms");
    const first = await serveKms(data);
    await cli(...provisionArgs(first, ALICE, join(folder, "before")));
    expect(await first.end("SIGKILL")).toBe("SIGKILL");
    expect((await stat(join(data, "admin.json"))).isFile()).toBe(true);

    // Nobody answers at what the dead server left behind: the command opens the database itself.
    const users = await cli("kms", "user", "list", "--data-dir", data);
    expect(users.json()).toMatchObject({ users: [{ uri: ALICE }] });

    const second = await serveKms(data);
    await cli(...provisionArgs(second, ALICE, join(folder, "after")));
    expect(await keySets(join(folder, "after"))).toEqual(await keySets(join(folder, "before")));
    const { certificates } = (await cli("kms", "certificate", "list", "--data-dir", data)).json<{
      certificates: unknown[];
    }>();
    expect(certificates).toHaveLength(1);
  });

  it("ends with 0 on SIGTERM and SIGINT, and leaves no admin.json", async () => {
    const folder = await temporaryFolder();
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      const kms = await serveKms(join(folder, "kms"));
      expect(await kms.end(signal)).toBe(0);
      await expect(stat(join(folder, "kms", "admin.json"))).rejects.toThrow("ENOENT");
    }
  });

  it("says why a second server of the same folder cannot start", async () => {
    const folder = await temporaryFolder();
    const kms = await serveKms(join(folder, "kms"));
    const again = (...args: string[]) => spawnCli(["serve", "kms", ...args, "--json"]);
    const sameFolder = await again("--data-dir", kms.dataDir, "--port", "0");
    expect(sameFolder).toMatchObject({ status: 75 });
    expect(sameFolder.json()).toMatchObject({ code: "STORE_LOCKED" });
    expect(sameFolder.json<{ message: string }>().message).toContain(String(kms.pid));
    const samePort = await again("--data-dir", join(folder, "other"), "--port", new URL(kms.url).port);
    expect(samePort).toMatchObject({ status: 75 });
    expect(samePort.json()).toMatchObject({
      code: "ADDRESS_IN_USE",
      next: expect.stringContaining("--port"),
    });
    const otherKms = await again("--data-dir", kms.dataDir, "--kms-uri", "kms.other.example", "--port", "0");
    expect(otherKms.json()).toMatchObject({ status: "usage", code: "OTHER_KMS" });
    // The server was not disturbed by any of them.
    await cli(...provisionArgs(kms, ALICE, join(folder, "alice")));
  });

  it("listens beyond loopback only with a certificate and an issuer of tokens", async () => {
    const folder = await temporaryFolder();
    const serve = (...args: string[]) =>
      runCli(["serve", "kms", "--data-dir", join(folder, "kms"), "--host", "0.0.0.0", ...args, "--json"]);
    const noCertificate = await serve();
    expect(noCertificate.status).toBe(78);
    expect(noCertificate.json()).toMatchObject({ code: "TLS_NEEDED" });
    expect((await serve("--http")).json()).toMatchObject({ status: "usage", code: "TLS_NEEDED" });
    const { certificate, key } = selfSigned(["kms.example.org"], Date.now(), 1);
    await writeFile(join(folder, "tls.crt"), certificate);
    await writeFile(join(folder, "tls.key"), key);
    const tls = { certFile: "tls.crt", keyFile: "tls.key" };
    await writeFile(join(folder, "kms.json"), JSON.stringify({ kmsUri: "kms.example.org", tls }));
    const noIssuer = await serve("--config", join(folder, "kms.json"));
    expect(noIssuer.status).toBe(78);
    expect(noIssuer.json()).toMatchObject({ code: "TOKENS_NEEDED" });
  });

  it("refuses a configuration with an unknown key", async () => {
    const folder = await temporaryFolder();
    const file = join(folder, "kms.json");
    await writeFile(file, JSON.stringify({ kmsUri: "kms.example.org", policy: { periodAhead: 3 } }));
    const run = await runCli(["serve", "kms", "--data-dir", join(folder, "kms"), "--config", file, "--json"]);
    expect(run.status).toBe(78);
    expect(run.json()).toMatchObject({ code: "BAD_CONFIG", message: expect.stringContaining("periodAhead") });
  });
});

describe("serve kms with an empty database in a folder whose KMS was made before", {
  timeout: STORY_MS,
}, () => {
  it("refuses, as the database is another or not yet restored; --init makes a new KMS in it and logs that", async () => {
    const data = join(await temporaryFolder(), "kms");
    const first = await serveKms(data);
    expect(first.log()).toContain("made a new KMS");
    const mark = await readFile(join(data, "kms.json"), "utf8");
    expect(await first.end("SIGTERM")).toBe(0);
    await rm(join(data, "database"), { recursive: true });

    const refused = await spawnCli(["serve", "kms", "--data-dir", data, "--port", "0", "--json"]);
    expect(refused.json()).toMatchObject({ code: "KMS_MISSING" });
    expect(refused.status).not.toBe(0);

    const second = await serveKms(data, "--init");
    expect(second.log()).toContain("made a new KMS");
    expect(await second.end("SIGTERM")).toBe(0);
    expect(JSON.parse(mark)).toMatchObject({ kmsUri: "kms.localhost" });
    const third = await serveKms(data);
    expect(third.log()).not.toContain("made a new KMS");
  });
});
