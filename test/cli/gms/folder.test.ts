/** Data folders of a GMS: first start, configuration and environment, what is refused before anything is opened. */
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { freePort } from "../../support/free-port.ts";
import { cli } from "../kms/kms-process.ts";
import { runCli, spawnCli, temporaryFolder } from "../run-cli.ts";
import { STORY_MS, serve } from "./gms-process.ts";

const configOf = async (data: string) => JSON.parse(await readFile(join(data, "config.json"), "utf8"));

async function folderWith(config: object): Promise<string> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "config.json"), JSON.stringify(config));
  return folder;
}

describe("serve", { timeout: STORY_MS }, () => {
  it("makes a folder for its owner, reads the environment, goes on after kill -9, leaves no files", async () => {
    const data = join(await temporaryFolder(), "data");
    const first = await serve(data, ["--kms-uri", "kms.example.org", "--gms-uri", "sip:gms@example.org"], {
      MIKEY_SAKKE_GMS_XCAP_PATH: "/elsewhere",
    });
    expect(first).toMatchObject({ kmsUri: "kms.example.org", gmsUri: "sip:gms@example.org" });
    expect(first.xcapRoot).toMatch(/\/elsewhere$/);
    expect(first.log()).toContain("DEVELOPMENT TOKENS");
    expect(await configOf(data)).toEqual({
      kmsUri: "kms.example.org",
      gms: {
        gmsUri: "sip:gms@example.org",
        sip: { udpPort: 5060, tcpPort: 5060, tlsPort: 5061, wsPort: 5062, wssPort: 5063 },
        workers: expect.any(Number),
      },
      mcx: { mcxUri: "sip:mcx@mcx.localhost" },
      // No user's token gets the keys of these.
      servers: [
        { uri: "sip:gms@example.org", kind: "gms", clientId: "sip:gms@example.org" },
        { uri: "sip:mcx@mcx.localhost", kind: "mcx-server", clientId: "sip:mcx@mcx.localhost" },
      ],
    });
    for (const name of [
      "store.key",
      "mcx.key",
      "mcx-admin.json",
      "gms-admin.json",
      "admin.json",
      "config.json",
    ]) {
      expect(((await stat(join(data, name))).mode & 0o777).toString(8), name).toBe("600");
    }
    const { token } = JSON.parse(await readFile(join(data, "gms-admin.json"), "utf8"));
    expect(first.log()).not.toContain(token);
    await cli("group", "create", "sip:g@example.org", "sip:a@example.org", "--data-dir", data);
    expect(await first.end("SIGKILL")).toBe("SIGKILL");
    // Files that the dead server left behind do not make its folder look served.
    const dead = await runCli(["group", "list", "--data-dir", data, "--json"]);
    expect(dead.json()).toMatchObject({ code: "GMS_NOT_RUNNING" });

    const second = await serve(data);
    expect(second.xcapRoot).toMatch(/\/xcap$/);
    const list = await cli("group", "list", "--data-dir", data);
    expect(list.json()).toMatchObject({ groups: [{ group: "sip:g@example.org" }] });
    expect(await second.end("SIGINT")).toBe(0);
    for (const name of ["mcx-admin.json", "gms-admin.json", "admin.json", "running.json"]) {
      await expect(stat(join(data, name)), name).rejects.toThrow("ENOENT");
    }
  });

  it("adds a GMS to the folder of a KMS", async () => {
    const data = await folderWith({ kmsUri: "kms.example.org", userKeyPeriod: 86_400 });
    const servers = await serve(data);
    expect(servers.kmsUri).toBe("kms.example.org");
    expect(await configOf(data)).toMatchObject({
      kmsUri: "kms.example.org",
      userKeyPeriod: 86_400,
      gms: { gmsUri: servers.gmsUri },
      mcx: { mcxUri: "sip:mcx@mcx.localhost" },
    });
  });

  it("runs a GMS alone, with keys from a KMS elsewhere", async () => {
    const folder = await temporaryFolder();
    const kms = await serve(join(folder, "kms"));
    const data = join(folder, "gms");
    const gms = await serve(data, [
      ...["gms", "--gms-uri", "sip:away@example.org", "--kms-url", kms.kmsUrl, "--kms-uri", kms.kmsUri],
      ...["--kms-development-token", kms.dataDir, "--kms-ca", kms.ca],
    ]);
    expect(gms).toMatchObject({ kmsUri: kms.kmsUri, kmsUrl: kms.kmsUrl, gmsUri: "sip:away@example.org" });
    const made = await cli("group", "create", "sip:g@example.org", "sip:a@example.org", "--data-dir", data);
    expect(made.json()).toMatchObject({ rekeys: [{ total: 1 }] });
    expect(await gms.end("SIGTERM")).toBe(0);
    // The options for the KMS are in the configuration by now; the GMS starts again without them.
    expect((await serve(data, ["gms"])).kmsUrl).toBe(kms.kmsUrl);
  });

  it("gives --local what a client needs, also on the folder of a GMS alone", async () => {
    const folder = await temporaryFolder();
    const kms = await serve(join(folder, "kms"));
    const [data, token, ca] = [join(folder, "gms"), join(folder, "gms.token"), join(folder, "ca.pem")];
    const gms = await serve(data, [
      ...["gms", "--gms-uri", "sip:away@example.org", "--kms-url", kms.kmsUrl, "--kms-uri", kms.kmsUri],
      ...["--kms-development-token", kms.dataDir, "--kms-ca", kms.ca],
    ]);
    await cli("group", "create", "sip:g@example.org", "sip:a@example.org", "--data-dir", data);
    await writeFile(ca, (await readFile(kms.ca, "utf8")) + (await readFile(gms.ca, "utf8")));
    const client = ["client", "run", "--local", data, "--user", "sip:a@example.org", "--once", "--ca", ca];
    for (const way of ["sip", "http"]) {
      const run = await runCli([...client, "--way", way, "--timeout", "4m", "--json"]);
      expect(run.status, run.stdout).toBe(0);
      expect(run.stdout).toContain('"state":"active"');
    }

    // With a token of another kind for its KMS, the GMS has none to give to a client.
    expect(await gms.end("SIGTERM")).toBe(0);
    await writeFile(
      token,
      (await cli("kms", "token", "--data-dir", kms.dataDir, "--user", "sip:away@example.org")).json<{
        token: string;
      }>().token,
    );
    const config = await configOf(data);
    config.gms.provisioning = { caFile: kms.ca, tokenFile: token };
    await writeFile(join(data, "config.json"), JSON.stringify(config));
    await serve(data, ["gms"]);
    const refused = await runCli([...client, "--json"]);
    expect(refused.status).toBe(2);
    expect(refused.json()).toMatchObject({
      code: "NO_TOKEN",
      message: expect.stringContaining(`${data}: the KMS of this GMS is elsewhere`),
    });
  });

  it("writes the ports of the first start, and GMS and MCX server ask the KMS at the URL that is configured", async () => {
    const port = await freePort();
    const kmsUrl = `https://localhost:${port}`;
    const environment = { MIKEY_SAKKE_GMS_KMS_URL: kmsUrl, MIKEY_SAKKE_MCX_KMS_URL: kmsUrl };
    const ports = ["--port", `${port}`, "--sip-port", "0"];
    const data = join(await temporaryFolder(), "data");
    const servers = await serve(data, ports, environment);
    expect(servers.kmsUrl).toBe(kmsUrl);
    // The next start is there too without the option.
    expect(await configOf(data)).toMatchObject({
      ...{ listen: { port }, admin: { port: port + 1 } },
      gms: { listen: { port: port + 2 }, admin: { port: port + 3 } },
      mcx: { admin: { port: port + 4 } },
      console: { listen: { port: port + 5 } },
    });
  });

  it.each([
    ["serve", ["serve"], 0],
    ["serve, when the ports of the GMS are in use", ["serve"], 2],
    ["serve kms", ["serve", "kms"], 0],
  ])("leaves nothing behind when a port is in use: %s", async (_, command, offset) => {
    const folder = await temporaryFolder();
    const occupied = createServer();
    await new Promise<void>((resolve) => void occupied.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void occupied.close());
    const { port } = occupied.address() as AddressInfo;
    const data = join(folder, "new", "data");
    const args = [...command, "--data-dir", data, "--port", String(port - offset), "--json"];
    const sip = command.length === 1 ? ["--sip-port", "0"] : [];
    const run = await spawnCli([...args, ...sip], "", { MIKEY_SAKKE_GMS_WORKERS: "0" });
    expect(run.status, run.stdout).toBe(75);
    expect(run.json()).toMatchObject({ code: "ADDRESS_IN_USE" });
    expect(await readdir(folder)).toEqual([]);
  });

  it("leaves the folder as it was when it does not start, and keeps a folder that has started", async () => {
    const data = await temporaryFolder();
    await writeFile(join(data, "notes.txt"), "mine");
    const bad = await spawnCli(["serve", "--data-dir", data, "--host", "192.0.2.1", "--json"]);
    expect(bad.status).toBe(78);
    expect(await readdir(data)).toEqual(["notes.txt"]);
    const servers = await serve(data);
    expect(await servers.end("SIGTERM")).toBe(0);
    const names = await readdir(data);
    const again = await spawnCli(["serve", "--data-dir", data, "--host", "192.0.2.1", "--json"]);
    expect(again.status).toBe(78);
    expect((await readdir(data)).sort()).toEqual(names.sort());
  });

  it("says why a second server of the same folder cannot start", async () => {
    const data = join(await temporaryFolder(), "data");
    const servers = await serve(data);
    const again = await spawnCli(["serve", "--data-dir", data, "--port", "0", "--json"]);
    expect(again.status).toBe(75);
    expect(again.json()).toMatchObject({ code: "STORE_LOCKED" });
    expect(again.json<{ message: string }>().message).toContain(String(servers.pid));
  });
});

describe("serve refuses before it opens anything:", () => {
  const kms = { kmsUri: "kms.example.org" };
  const gms = { gmsUri: "sip:gms@example.org" };
  const refusal = async (config: object, ...args: string[]) => {
    const data = await folderWith(config);
    const run = await runCli([...args, "--data-dir", data, "--port", "0", "--json"]);
    expect([2, 78]).toContain(run.status);
    return run.json();
  };

  it.each([
    ["a key that is unknown", { ...kms, gms: { ...gms, limit: {} } }, "BAD_CONFIG", "limit"],
    ["a database of its own", { ...kms, gms: { ...gms, database: {} } }, "BAD_CONFIG", "gms.database"],
    ["what is no object", { ...kms, gms: 5 }, "BAD_CONFIG", "gms"],
    ["UDP without TCP", { ...kms, gms: { ...gms, sip: { udpPort: 0 } } }, "BAD_CONFIG", "tcpPort"],
    [
      "SIP for others without tokens",
      { ...kms, gms: { ...gms, sip: { host: "0.0.0.0", allowPlain: true } } },
      "TOKENS_NEEDED",
      "SIP",
    ],
  ])("%s", async (_, config, code, text) => {
    const args = code === "BAD_CONFIG" && text === "tcpPort" ? ["--sip-port", "0"] : [];
    if (text === "tcpPort") {
      // Ports of the command line would give it TCP.
      const data = await folderWith(config);
      const run = await runCli(["serve", "--data-dir", data, "--json"]);
      expect(run.json()).toMatchObject({ code, message: expect.stringContaining(text) });
      return;
    }
    expect(await refusal(config, "serve", ...args)).toMatchObject({
      code,
      message: expect.stringContaining(text),
    });
  });

  it("a GMS without a source of tokens", async () => {
    expect(
      await refusal({ gms: { ...gms, kmsUri: "k", kmsUrl: "https://k" } }, "serve", "gms"),
    ).toMatchObject({
      code: "NO_TOKEN",
    });
  });

  it("a KMS that is not reachable", async () => {
    const data = await folderWith({ gms: { ...gms, kmsUri: "k" } });
    const run = await runCli(["kms", "user", "list", "--data-dir", data, "--json"]);
    expect(run.status).toBe(78);
    expect(run.json()).toMatchObject({ code: "NO_KMS" });
  });
});
