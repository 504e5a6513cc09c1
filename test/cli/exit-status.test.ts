/** Exit statuses tell causes apart, and docs/exit-status.md lists them. */
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { selfSigned } from "../../cli/server/self-signed.ts";
import { EXIT, exitStatusOf } from "../../cli/terminal/exit-status.ts";
import { runCli, temporaryFolder, vector } from "./run-cli.ts";

describe("the exit status", () => {
  it("of an unknown option is that of a wrong call, which names the option that was meant", async () => {
    const run = await runCli(["seal", "--certt", "x"]);
    expect(run.status).toBe(EXIT.usage);
    expect(run.stderr).toContain("unknown option '--certt'");
    expect(run.stderr).toContain("Did you mean --cert?");
  });

  it("of a missing option is that of a wrong call", async () => {
    const run = await runCli(["seal"]);
    expect(run.status).toBe(EXIT.usage);
    expect(run.stderr).toContain("required option");
  });

  it("of a missing input is not that of a wrong call", async () => {
    expect((await runCli(["inspect", "/nowhere/message.mikey"])).status).toBe(EXIT.noInput);
  });

  it("of a server that does not run is not that of a wrong call", async () => {
    const folder = await temporaryFolder();
    expect((await runCli(["group", "list", "--data-dir", folder])).status).toBe(EXIT.unavailable);
    expect((await runCli(["console", "--data-dir", folder])).status).toBe(EXIT.unavailable);
    expect((await runCli(["health", "--data-dir", folder])).status).toBe(EXIT.refused);
  });

  it("of a wrong configuration is its own", async () => {
    const folder = await temporaryFolder();
    await writeFile(
      join(folder, "config.json"),
      JSON.stringify({ kmsUri: "kms.example.org", userKeyPeriods: 1 }),
    );
    const run = await runCli(["config", "check", "--data-dir", folder]);
    expect(run.status).toBe(EXIT.configuration);
    expect(run.stderr).toContain("userKeyPeriods");
  });

  it("of an output that exists already or cannot be made is its own", async () => {
    const folder = await temporaryFolder();
    const init = [
      ...["kms", "init", "--kms-uri", "kms.example.org"],
      ...["--secrets", join(folder, "secrets"), "--cert", join(folder, "cert.xml")],
    ];
    expect((await runCli(init)).status).toBe(EXIT.accepted);
    expect((await runCli(init)).status).toBe(EXIT.cannotCreate);
  });

  it("of an unforeseen error is its own", () => {
    expect(exitStatusOf(new TypeError("x is not a function"))).toBe(EXIT.internal);
  });

  it("is in the documentation, for every code", () => {
    const page = readFileSync(new URL("../../docs/exit-status.md", import.meta.url), "utf8");
    const listed = Array.from(page.matchAll(/^\|\s+(\d+) \|/gm), ([, status]) => Number(status));
    expect(listed).toEqual(Object.values(EXIT));
  });
});

describe("config check", () => {
  const config = {
    kmsUri: "kms.example.org",
    gms: { gmsUri: "sip:gms@example.org", provisioning: { tokenFile: "gms.token" } },
  };

  it("names the file that a configuration leads to and that is not there", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "config.json"), JSON.stringify(config));
    const run = await runCli(["config", "check", "--data-dir", folder]);
    expect(run.stderr).toContain(`gms.provisioning.tokenFile: ${join(folder, "gms.token")}`);
    await writeFile(join(folder, "gms.token"), "token");
    const second = await runCli(["config", "check", "--data-dir", folder, "--json"]);
    expect(second.json()).toMatchObject({
      status: "ok",
      servers: { kms: { uri: "kms.example.org" }, gms: { uri: "sip:gms@example.org" } },
    });
  });
});

describe("config check of the authorities of a token issuer", () => {
  const tokens = { issuer: "https://a.example", audience: "a", jwksUri: "https://a.example/jwks" };
  const config = (of: string) => ({
    kmsUri: "kms.example.org",
    servers: [
      { uri: "sip:gms@example.org", kind: "gms", clientId: "gms" },
      { uri: "sip:mcx@example.org", kind: "mcx-server", clientId: "mcx" },
    ],
    gms: { gmsUri: "sip:gms@example.org" },
    mcx: {
      mcxUri: "sip:mcx@example.org",
      gms: { uri: "sip:gms@example.org", xcapRoot: "https://a.example/" },
    },
    ...(of === "kms" ? { tokens: { ...tokens, caFile: "ca.pem" } } : {}),
  });

  it.each(["kms", "gms", "mcx"] as const)(
    "names the key of the %s, and a file that is missing or has no certificate",
    async (of) => {
      const folder = await temporaryFolder();
      const ca = join(folder, "ca.pem");
      const content = config(of);
      if (of !== "kms") Object.assign(content[of], { tokens: { ...tokens, caFile: "ca.pem" } });
      await writeFile(join(folder, "config.json"), JSON.stringify(content));
      const key = of === "kms" ? "tokens.caFile" : `${of}.tokens.caFile`;
      const check = () => runCli(["config", "check", "--data-dir", folder]);
      expect((await check()).stderr).toContain(`${key}: ${ca}: no such file`);
      await writeFile(ca, "no certificate");
      expect((await check()).stderr).toContain(`${key}: ${ca}: no certificate in PEM`);
      await writeFile(ca, selfSigned(["localhost"], Date.now(), 1).certificate);
      expect(await check()).toMatchObject({ status: EXIT.accepted });
    },
  );
});

it("config check says that a KMS with an issuer of real tokens must know its neighbours by name, as serve does", async () => {
  const folder = await temporaryFolder();
  const tokens = { issuer: "https://a.example", audience: "a", jwksUri: "https://a.example/jwks" };
  const config = { kmsUri: "kms.example.org", tokens, gms: { gmsUri: "sip:gms@example.org" } };
  await writeFile(join(folder, "config.json"), JSON.stringify(config));
  const run = await runCli(["config", "check", "--data-dir", folder]);
  expect(run.stderr).toContain("servers: name sip:gms@example.org with the clientId");
  expect(run.status).not.toBe(EXIT.accepted);
});

describe("config check of the console", () => {
  const check = async (console: object) => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "config.json"), JSON.stringify({ kmsUri: "kms.example.org", console }));
    return runCli(["config", "check", "--data-dir", folder, "--json"]);
  };

  it("says where the console's configuration is, and names each fault", async () => {
    const fine = await check({ listen: { host: "10.0.0.1" }, origin: "https://console.example.org" });
    expect(fine.json()).toMatchObject({
      servers: { console: { uri: "https://console.example.org", listens: ["HTTPS 10.0.0.1:8448"] } },
    });
    const wrong = await check({ listen: { port: 70_000 }, idleMinutes: 0 });
    expect(wrong.status).toBe(EXIT.configuration);
    expect(wrong.stdout).toMatch(/console\.listen\.port: .*console\.idleMinutes: /);
    expect((await check({ listen: { host: "10.0.0.1" } })).stdout).toContain("console.origin: ");
  });
});

describe("a command that writes an output", () => {
  it("ends with the system's message where folders cannot be made", async () => {
    const run = await runCli(["inspect", vector("production-gmk.mikey")]);
    expect(run.status).toBe(EXIT.accepted);
    const { makeFolders } = await import("../../cli/terminal/files.ts");
    await expect(makeFolders("/proc/a/b/c")).rejects.toMatchObject({ kind: "usage" });
  });
});
