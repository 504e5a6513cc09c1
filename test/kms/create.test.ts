import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createKmsService,
  createLog,
  DevelopmentIssuer,
  kmsAudience,
  parseKmsConfig,
} from "../../roles/kms/index.ts";
import { DEVELOPMENT_TOKENS_WARNING } from "../../roles/server/development-tokens.ts";
import packages from "../../tools/packages.json" with { type: "json" };
import { KMS_URI, World } from "./running-kms.ts";

let world: World;
beforeAll(async () => {
  world = await World.create();
});
afterAll(() => world.close());

describe("a KMS", () => {
  it("makes its master secrets when there are none, and keeps them", async () => {
    const [first] = await world.store.masters();
    expect(first).toMatchObject({
      certificate: { kmsUri: KMS_URI, kmsDomains: ["example.org"], role: "Root" },
    });
    const again = await world.beside();
    expect((await world.store.masters()).map(({ id }) => id)).toEqual([first!.id]);
    await again.close();
  });

  it("refuses the store of another KMS", async () => {
    const kmsUri = "kms.other.example";
    const developmentIssuer = await DevelopmentIssuer.create([kmsAudience(kmsUri)]);
    await expect(world.beside({ kmsUri }, { developmentIssuer })).rejects.toMatchObject({
      code: "OTHER_KMS",
    });
  });

  it("keeps the key period that it was made with", async () => {
    await expect(world.beside({ userKeyPeriod: 120 * 86_400 })).rejects.toMatchObject({
      code: "SETTING_FIXED",
    });
  });

  it("is not made in an empty store where one was made before", async () => {
    await expect(World.create({}, { mayMake: false })).rejects.toMatchObject({ code: "KMS_MISSING" });
  });

  it.each([
    [
      "development tokens for everybody",
      { listen: { host: "0.0.0.0", port: 0 } },
      { credentials: { cert: "", key: "" } },
    ],
    [
      "plain HTTP for everybody",
      { listen: { host: "0.0.0.0", port: 0 } },
      { tokens: { verify: async () => ({ identities: [], scopes: [] }) } },
    ],
    ["no tokens at all", {}, { developmentIssuer: undefined }],
  ])("does not start with %s", async (_, config, options) => {
    await expect(world.beside(config, options as never)).rejects.toMatchObject({ code: "BAD_CONFIG" });
  });

  it("warns of development tokens", () => {
    expect(world.log).toContainEqual(
      expect.objectContaining({ level: "warn", text: expect.stringContaining(DEVELOPMENT_TOKENS_WARNING) }),
    );
  });

  it("needs the schema that its policy asks for", () => {
    const config = parseKmsConfig({ kmsUri: KMS_URI, policy: { strictSchema: true } });
    expect(() => createKmsService({ config } as never)).toThrow(/no schema/);
  });
});

describe("docs/kms.md", () => {
  const text = readFileSync(new URL("../../docs/kms.md", import.meta.url), "utf8");
  const block = (language: string) => new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, "m").exec(text)![1]!;

  it("shows a valid configuration", () => {
    expect(parseKmsConfig(JSON.parse(block("json")))).toMatchObject({ workers: 4, userKeyPeriod: 2592000 });
  });

  it("names every key of the policy with its default", () => {
    const { policy } = parseKmsConfig({ kmsUri: KMS_URI });
    for (const name of Object.keys(policy)) expect(text).toContain(`\`${name}\``);
  });

  it("shows code that starts a KMS", async () => {
    const entries = packages.flatMap(({ name, entries }) =>
      Object.entries(entries).map(([path, file]) => [`${name}${path.slice(1)}`, file] as const),
    );
    const source = (specifier: string) => {
      const file = new Map(entries).get(specifier)!;
      return JSON.stringify(fileURLToPath(new URL(`../../${file}`, import.meta.url)));
    };
    const imports = block("ts").replace(/"(mikey-sakke[^"]*)"/g, (_, specifier) => source(specifier));
    const folder = mkdtempSync(join(tmpdir(), "kms-doc-"));
    const file = join(folder, "embed.ts");
    writeFileSync(
      file,
      `const storeKey = new Uint8Array(32).fill(7);\n${imports}\nexport { core, database, envelope, kms, url };`,
    );
    try {
      const { core, database, envelope, kms, url } = await import(/* @vite-ignore */ file);
      expect((await fetch(`${url}/keymanagement/identity/v1/init`, { method: "POST" })).status).toBe(401);
      await kms.close();
      core.destroy();
      envelope.destroy();
      await database.close();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("the log of the KMS", () => {
  it("hides secrets, wherever they occur", () => {
    const lines: string[] = [];
    const sink = new Writable({
      write(chunk, _encoding, done) {
        lines.push(String(chunk));
        done();
      },
    });
    const log = createLog("info", sink);
    log.info(
      {
        authorization: "SECRET",
        request: { headers: { authorization: "SECRET" }, rawBody: "SECRET" },
        token: "SECRET",
      },
      "x",
    );
    log.debug({ a: 1 }, "not written");
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain("SECRET");
    expect(JSON.parse(lines[0]!)).toMatchObject({ msg: "x", authorization: "[redacted]" });
  });
});
