/** Both packages, packed, installed into empty folders and tried: a user of the library gets no part of the servers. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { filesBelow, type Packed, pack, ROOT } from "../support/packed.ts";

const OLDEST_NODE = "20.19.0";
const { satisfies } = createRequire(import.meta.url)("semver") as {
  satisfies(version: string, range: string): boolean;
};

interface Analysis {
  readonly problems: readonly {
    readonly kind: string;
    readonly resolutionKind?: string;
    readonly resolutionOption?: string;
  }[];
}

interface Installed {
  /** Paths in package-lock.json, such as "node_modules/ws", with what it says of each. */
  readonly packages: Readonly<Record<string, { readonly engines?: { readonly node?: string } }>>;
  readonly folder: string;
  /** The output of npm. */
  readonly said: string;
}

let folder: string;
let library: Packed;
let server: Packed;
let client: Installed;
let host: Installed;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "mikey-sakke-packages-"));
  [library, server] = pack(join(folder, "packed"));
  client = install("client", [library]);
  host = install("host", [library, server]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Installs as a user does; npm takes packages from its cache where it has them. */
function install(name: string, packed: readonly Packed[]): Installed {
  const app = join(folder, name);
  mkdirSync(app);
  writeFileSync(join(app, "package.json"), '{ "private": true, "type": "module" }');
  const archives = packed.map(({ archive }) => archive);
  const { status, stdout, stderr } = spawnSync(
    "npm",
    ["install", "--prefer-offline", "--no-audit", "--no-fund", ...archives],
    { cwd: app, encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`npm install ${archives.join(" ")}\n${stdout}${stderr}`);
  const { packages } = JSON.parse(readFileSync(join(app, "package-lock.json"), "utf8"));
  return { packages, folder: app, said: stderr };
}

/** Runs a module in an application, and returns what it prints. */
function run({ folder }: Installed, code: string): string {
  const file = join(folder, "run.mjs");
  writeFileSync(file, code);
  return execFileSync(process.execPath, [file], { cwd: folder, encoding: "utf8" });
}

/** The names that each module exports, by specifier, or the code of the error of its import. */
function imported(app: Installed, specifiers: readonly string[]): Record<string, string[] | string> {
  const code = `const out = {};
    for (const name of ${JSON.stringify(specifiers)})
      out[name] = await import(name).then(Object.keys, (error) => error.code ?? String(error));
    console.log(JSON.stringify(out));`;
  return JSON.parse(run(app, code));
}

const specifiersOf = ({ manifest: { name, exports } }: Packed) =>
  Object.keys(exports)
    .filter((path) => path !== "./package.json" && !path.includes("*"))
    .map((path) => `${name}${path.slice(1)}`);

/** The installed packages other than our own. */
const othersIn = ({ packages }: Installed) =>
  Object.keys(packages).filter((path) => path !== "" && !/^node_modules\/mikey-sakke(-server)?$/.test(path));

describe("the installed library", () => {
  it("needs four packages, and no more than 3 MB of others", () => {
    expect(Object.keys(library.manifest.dependencies)).toEqual([
      "@assemblyscript/loader",
      "@noble/hashes",
      "saxes",
      "ws",
    ]);
    const others = othersIn(client);
    expect(others.length).toBeLessThanOrEqual(6);
    const octets = others
      .flatMap((path) => filesBelow(join(client.folder, path)).map((file) => join(client.folder, path, file)))
      .reduce((sum, file) => sum + statSync(file).size, 0);
    expect(octets).toBeLessThan(3_000_000);
  });

  it("seals a key in an I_MESSAGE, and opens it", () => {
    const code = `
      import { formatKeyId, Initiator, KmsDomain, load, MemoryReceiverState, ntpFromUnixMs, ntpSeconds, openMessage, Receiver,
        sealMessage, systemRandom } from "mikey-sakke";
      import { KmsMaster } from "mikey-sakke/kms";
      import { Provisioner } from "mikey-sakke/client";
      import { GroupKeyRing } from "mikey-sakke/client/group";

      const core = await load();
      const master = KmsMaster.generate(core, systemRandom);
      const kmsUri = "kms.example.org";
      const period = { userIdFormat: "2", userKeyPeriod: 2592000, userKeyOffset: 0 };
      const domain = KmsDomain.load(core, { kmsUri, ...period, pubEncKey: master.zt, pubAuthKey: master.kpak });
      const now = Date.now();
      const keyPeriodNo = domain.keyPeriodNo(ntpSeconds(ntpFromUnixMs(now)));
      const keysOf = (userUri) => {
        const uid = domain.uid(userUri, keyPeriodNo);
        return { kmsUri, userUri, uid, keyPeriodNo, ...master.issue(uid) };
      };
      const initiator = Initiator.load(domain, [keysOf("sip:gms@example.org")]);
      const receiver = Receiver.load([domain], [keysOf("sip:alice@example.org")]);
      const request = { kind: "GMK", members: [{ uri: "sip:alice@example.org" }], parameters: {} };
      const sealed = await sealMessage(request, { initiator, domains: [domain], random: systemRandom }, now);
      const opened = await openMessage(sealed.messages[0].octets, {
        receiver, now, state: new MemoryReceiverState(), allow: ["GMK"], authorise: ({ uri }) => uri === "sip:gms@example.org",
      });
      console.log(opened.outcome, formatKeyId(opened.keyId) === formatKeyId(sealed.plan.keyId), typeof Provisioner, typeof GroupKeyRing);`;
    expect(run(client, code)).toBe("accepted true function function\n");
  });

  it("has the KMS, servers' sockets and files only under sub-paths that say so", () => {
    const names = imported(client, specifiersOf(library));
    expect(names["mikey-sakke"]).toEqual(expect.arrayContaining(["load", "SakkePublicKey", "EccsiSigner"]));
    expect(names["mikey-sakke/kms"]).toContain("KmsMaster");
    expect(names["mikey-sakke"]).not.toContain("KmsMaster");
    expect(names["mikey-sakke/client"]).not.toContain("KmsMaster");
    expect(names["mikey-sakke/client"]).toEqual(expect.arrayContaining(["Provisioner", "IndexedDbStorage"]));
    expect(names["mikey-sakke/client/file-storage"]).toContain("FileStorage");
    expect(names["mikey-sakke/client"]).not.toContain("FileStorage");
    expect(names["mikey-sakke/sip/node"]).toContain("udpTransport");
    expect(names["mikey-sakke/sip"]).not.toContain("udpTransport");
  });
});

describe("the installed server", () => {
  it("needs the library of the same version, and has no second copy of it", () => {
    expect(server.manifest.dependencies["mikey-sakke"]).toBe(library.manifest.version);
    const files = ({ manifest }: Packed) =>
      filesBelow(join(host.folder, "node_modules", manifest.name, "dist")).filter((file) =>
        /\.js$/.test(file),
      );
    const ofLibrary = new Set(files(library));
    expect(files(server).filter((file) => ofLibrary.has(file))).toEqual([]);
    expect(Object.keys(host.packages).filter((path) => path.endsWith("/mikey-sakke"))).toEqual([
      "node_modules/mikey-sakke",
    ]);
  });

  it("throws the errors of the library, which are of one class", () => {
    const code = `import { MikeySakkeError } from "mikey-sakke";
      import { openDatabase } from "mikey-sakke-server/store";
      await openDatabase({ url: "no URL" }).catch((error) => console.log(error instanceof MikeySakkeError));`;
    expect(run(host, code)).toBe("true\n");
  });

  it("includes a man page for each command", () => {
    const installed = join(host.folder, "node_modules", server.manifest.name);
    const pages = server.manifest.man ?? [];
    expect(pages.length).toBeGreaterThan(50);
    expect(pages).toContain("./man/mikey-sakke-kms-audit.1");
    for (const page of pages)
      expect(readFileSync(join(installed, page), "utf8")).toMatch(/^\.TH MIKEY-SAKKE/);
    expect(library.manifest.man).toBeUndefined();
  });

  it("includes the command", () => {
    const command = (...args: string[]) =>
      spawnSync(join(host.folder, "node_modules/.bin/mikey-sakke"), args, {
        cwd: host.folder,
        encoding: "utf8",
      });
    expect(command("--version").stdout).toBe(`${packageJson.version}\n`);
    const config = join(host.folder, "config.json");
    writeFileSync(config, JSON.stringify({ kmsUri: "kms.example.org" }));
    const checked = command("config", "check", "--config", config);
    expect(checked.stderr).toBe("");
    expect(checked.status).toBe(0);
  });
});

describe.each(["library", "server"] as const)("the package of the %s", (which) => {
  const packed = () => (which === "library" ? library : server);
  const app = () => (which === "library" ? client : host);
  const home = () => join(app().folder, "node_modules", packed().manifest.name);

  it("exports every sub-path, and nothing else", () => {
    const found = imported(app(), [
      ...specifiersOf(packed()),
      `${packed().manifest.name}/dist/base/errors.js`,
    ]);
    const { [`${packed().manifest.name}/dist/base/errors.js`]: inner, ...names } = found;
    expect(
      Object.entries(names).filter(([, exported]) => !Array.isArray(exported) || exported.length === 0),
    ).toEqual([]);
    expect(inner).toBe("ERR_PACKAGE_PATH_NOT_EXPORTED");
  });

  it("holds code with its types, documents, and nothing else", () => {
    const code = /^dist\/(base|bindings|transport|documents|store|roles|cli)\/.+\.(js|d\.ts)$/;
    const rest = {
      library:
        /^(README\.md|LICENSE|SECURITY\.md|package\.json|docs\/[A-Za-z-]+\.md|vectors\/[a-z.-]+\.json|vectors\/README\.md)$/,
      server:
        /^(README\.md|LICENSE|SECURITY\.md|package\.json|docs\/[A-Za-z-]+\.md|man\/mikey-sakke[\w-]*\.1|web\/dist\/console\/([\w-]+\.(html|css|js|svg|wasm)|LICENSES\.txt))$/,
    }[which];
    const files = filesBelow(home());
    expect(files.filter((file) => !code.test(file) && !rest.test(file))).toEqual([]);
    const untyped = files.filter((file) => file.endsWith(".js") && file.startsWith("dist/"));
    expect(untyped.filter((file) => !files.includes(file.replace(/js$/, "d.ts")))).toEqual([]);
  });

  it("declares the packages that package.json here has, at its versions", () => {
    const { "mikey-sakke": _, ...dependencies } = packed().manifest.dependencies;
    expect(packageJson.dependencies).toMatchObject(dependencies);
    // Only the servers can use packages that an application may add.
    const { peerDependencies, peerDependenciesMeta } = packed().manifest;
    expect(peerDependencies).toEqual(which === "library" ? undefined : packageJson.peerDependencies);
    expect(peerDependenciesMeta).toEqual(which === "library" ? undefined : packageJson.peerDependenciesMeta);
  });

  it("installs on the oldest Node.js", () => {
    expect(app().said).not.toContain("EBADENGINE");
    const refused = Object.entries(app().packages)
      .filter(([, { engines }]) => engines?.node !== undefined && !satisfies(OLDEST_NODE, engines.node))
      .map(([path, { engines }]) => `${path} needs ${engines!.node}`);
    expect(refused).toEqual([]);
  });

  it("has complete declarations", () => {
    const file = join(app().folder, `${which}.ts`);
    const imports = specifiersOf(packed()).map((name, i) => `export * as a${i} from "${name}";`);
    writeFileSync(file, imports.join("\n"));
    const options =
      "--noEmit --strict --skipLibCheck false --module nodenext --target es2023 --lib es2023,dom,dom.iterable";
    const types = ["--types", "node", "--typeRoots", join(ROOT, "node_modules/@types")];
    const args = [join(ROOT, "node_modules/typescript/bin/tsc"), ...options.split(" "), ...types, file];
    const { stdout } = spawnSync(process.execPath, args, { cwd: app().folder, encoding: "utf8" });
    expect(stdout).toBe("");
  });

  it("passes publint", async () => {
    const { messages } = await publint({ pkgDir: home(), strict: true });
    expect(messages.map((message) => formatMessage(message, packed().manifest, { color: false }))).toEqual(
      [],
    );
  });

  it("has types that agree with its code, for every resolution of ES modules", async () => {
    const octets = new Uint8Array(readFileSync(packed().archive));
    const { problems } = (await checkPackage(createPackageFromTarballData(octets))) as Analysis;
    // The packages are ES modules with sub-paths: for Node.js 10 and for require() of old, they are not.
    const old = ["node10", "node16-cjs"];
    expect(
      problems.filter((problem) => !old.includes(problem.resolutionKind ?? problem.resolutionOption!)),
    ).toEqual([]);
  });
});
