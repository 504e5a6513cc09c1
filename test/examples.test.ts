/** Runs what README.md and the tutorials show, in an application that has the packed packages. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeInChromium, launchChromium } from "./browser/support/chromium.ts";
import { html, octets, script, startSite } from "./browser/support/site.ts";
import { codeBlocks } from "./support/code-blocks.ts";
import { type App, makeApp, ROOT } from "./support/packed.ts";
import { firstDifference } from "./support/shown-output.ts";
import { follow, isOutput, wayOf } from "./support/tutorial.ts";

const TEXT = readFileSync(join(ROOT, "README.md"), "utf8");

const BLOCKS = codeBlocks(TEXT);

/** The block marked with `run: NAME`. */
function block(name: string): string {
  const found = BLOCKS.filter(({ mark }) => mark === `run: ${name}`);
  if (found.length !== 1) throw new Error(`README.md: ${found.length} blocks are marked run: ${name}`);
  return found[0]!.body;
}

const TUTORIALS_FOLDER = join(ROOT, "docs/tutorials");
const TUTORIALS = readdirSync(TUTORIALS_FOLDER).map((name) => ({
  name,
  blocks: codeBlocks(readFileSync(join(TUTORIALS_FOLDER, name), "utf8")),
}));

const RUN = [
  "serve",
  "kms",
  "serve-all",
  "gms",
  "cli",
  "production",
  "server",
  "pool",
  "page",
  "bundle",
  "html",
];

describe("README.md", () => {
  it("shows no code that is neither run nor excused", () => {
    const code = BLOCKS.filter(({ language }) => ["sh", "js", "ts", "html"].includes(language));
    expect(code.length).toBeGreaterThan(5);
    const unknown = code.filter(
      ({ mark }) => !mark?.startsWith("not run: ") && !RUN.some((name) => mark === `run: ${name}`),
    );
    expect(unknown.map(({ body }) => body)).toEqual([]);
  });

  it("begins with the command to run", () => {
    const lines = TEXT.split("\n");
    const first = lines.findIndex((line) => line.startsWith("```"));
    expect(lines[first + 1]).toBe("npm start");
    expect(first).toBeLessThan(24);
  });

  it("names scripts that exist", () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    for (const [, name] of TEXT.matchAll(/npm run ([\w:]+)/g)) expect(Object.keys(scripts)).toContain(name);
  });
});

it("the tutorials show no command that is neither run nor excused", () => {
  expect(TUTORIALS.length).toBeGreaterThan(3);
  const unknown = TUTORIALS.flatMap(({ name, blocks }) =>
    blocks
      .filter(
        (block) => wayOf(block) === undefined && !isOutput(block) && !block.mark?.startsWith("not run: "),
      )
      .map(({ body }) => `${name}: ${body}`),
  );
  expect(unknown).toEqual([]);
});

it("the comparison of a tutorial's output names the first line that is missing", () => {
  const shown = "made …\n…\nid  name\n-- …\n 1  fire";
  const printed = (rows: string) => `made a group\nnote\nid  name\n--  ----\n${rows}`;
  expect(firstDifference(shown, printed(" 1  fire\n"))).toBeUndefined();
  expect(firstDifference(shown, printed(" 2  fire\n"))).toBe(" 1  fire");
  expect(firstDifference(shown, printed(" 1  fire\n 2  police\n"))).toBe("the end, after:  1  fire");
  expect(firstDifference("refused", "made a group\n")).toBe("refused");
});

it("a tutorial may show output of the previous command only", () => {
  const stray = TUTORIALS.flatMap(({ blocks }) =>
    blocks.filter((block, i) => isOutput(block) && (i === 0 || wayOf(blocks[i - 1]!) === undefined)),
  );
  expect(stray).toEqual([]);
});

describe("the examples of README.md and the tutorials:", () => {
  let app: App;

  const shell = (body: string, cwd: string) => {
    const run = spawnSync("bash", ["-euo", "pipefail", "-c", body], { cwd, env: app.env, encoding: "utf8" });
    if (run.status !== 0) throw new Error(`status ${run.status}: ${body}\n${run.stdout}${run.stderr}`);
    return run.stdout;
  };
  /** Waits until the server says that it listens. */
  const ready = async (server: ChildProcess) => {
    let said = "";
    server.stderr!.setEncoding("utf8").on("data", (text) => {
      said += text;
    });
    for await (const text of server.stdout!.setEncoding("utf8").iterator({ destroyOnReturn: false })) {
      said += text;
      if (said.includes(", ready at ")) return;
    }
    throw new Error(`serve kms: ${said}`);
  };
  const save = (name: string, body: string) => writeFileSync(join(app.folder, name), body);

  beforeAll(() => {
    app = makeApp(["esbuild", "tsc"]);
    save("package.json", `{"type":"module"}`);
    save("seal-group.js", block("server"));
    save("seal-pool.js", block("pool"));
    save("page.js", block("page"));
    // Keys and messages for the rest.
    shell(block("cli"), app.folder);
  }, 180_000);
  afterAll(() => app?.remove());

  it("the command line works", () => {
    expect(readdirSync(join(app.folder, "sealed"))).toEqual([
      "manifest.json",
      "sip%3Aalice@example.org.mikey",
      "sip%3Abob@example.org.mikey",
    ]);
    const commands = Array.from(TEXT.matchAll(/^\| `(\w+)/gm), ([, command]) => command);
    for (const command of shell("mikey-sakke --help", app.folder).matchAll(/^ {2}(\w+) (?=\[)/gm)) {
      if (command[1] !== "help") expect(commands).toContain(command[1]);
    }
  });

  it("a KMS over HTTPS works", { timeout: 180_000 }, async () => {
    const cwd = join(app.folder, "kms-example");
    mkdirSync(cwd);
    const server = spawn("bash", ["-euc", `exec ${block("serve")}`], { cwd, env: app.env });
    const ended = once(server, "exit");
    try {
      await ready(server);
      const printed = shell(block("kms"), cwd);
      expect(printed).toMatch(/^1 accepted, 0 refused$/m);
      expect(printed).toMatch(/ user-revoke +sip:alice@example\.org /);
    } finally {
      server.kill("SIGTERM");
      await ended;
    }
    expect(server.exitCode).toBe(0);
  });

  it("a GMS over SIP and HTTPS works", { timeout: 180_000 }, async () => {
    const cwd = join(app.folder, "gms-example");
    mkdirSync(cwd);
    const server = spawn("bash", ["-euc", `exec ${block("serve-all")}`], { cwd, env: app.env });
    const ended = once(server, "exit");
    try {
      await ready(server);
      const printed = shell(block("gms"), cwd);
      expect(printed).toMatch(/^ +1 .* distribute .* group created +done +2 .* 2 +0 +0$/m);
      expect(printed.match(/^keys of all groups are there: \d$/gm)).toHaveLength(3);
      expect(printed.match(/^[0-9a-f]{8} +live /gm)).toHaveLength(1);
    } finally {
      server.kill("SIGTERM");
      await ended;
    }
    expect(server.exitCode).toBe(0);
  });

  it.each(TUTORIALS.filter(({ blocks }) => blocks.some((block) => wayOf(block) !== undefined)))(
    "the tutorial $name works, from its first block to its last",
    { timeout: 480_000 },
    async ({ name, blocks }) => {
      const cwd = join(app.folder, name.replace(/\.md$/, ""));
      mkdirSync(cwd);
      await follow(blocks, { cwd, env: app.env });
    },
  );

  it("a message of another vendor opens", () => {
    const printed = shell(block("production"), ROOT);
    expect(printed).toContain("0df9bc39");
    expect(printed).toContain("06a12aea");
  });

  it("a server seals to a group", () => {
    expect(shell("node seal-group.js", app.folder)).toMatch(/^GMK-ID [0-9a-f]{8}: 2 messages$/m);
    const opened = shell("mikey-sakke open --cert kms.xml --keys keys outbox --json", app.folder);
    expect(JSON.parse(opened)).toMatchObject({ accepted: 2 });
  });

  it("a pool of workers seals", () => {
    expect(shell("node seal-pool.js", app.folder)).toBe("500 messages\n");
  });

  it("the types satisfy strict callers", () => {
    const options = "--noEmit --strict --noImplicitAny false --allowJs --checkJs --skipLibCheck false";
    const resolution = "--module nodenext --target es2023 --lib es2023,dom,dom.iterable";
    const types = `--types node --typeRoots ${join(ROOT, "node_modules/@types")}`;
    shell(`tsc ${options} ${resolution} ${types} seal-group.js seal-pool.js page.js`, app.folder);
  });

  describeInChromium("a page", () => {
    it("opens one message", async () => {
      shell(block("bundle"), app.folder);
      // Not more than five minutes ago.
      const keys = "--cert kms.xml --keys gms.xml --group sip:fire@example.org --members members.txt";
      shell(`mikey-sakke seal ${keys} --out sealed-now`, app.folder);
      const file = (path: string) => readFileSync(join(app.folder, path));
      const policy = /^Content-Security-Policy: (.+)$/m.exec(TEXT)![1]!;
      const files = {
        "/": html(block("html")),
        "/favicon.ico": octets(""),
        "/page.js": script(file("public/page.js")),
        "/kms.xml": octets(file("kms.xml")),
        "/alice.xml": octets(file("keys/sip%3Aalice@example.org.xml")),
        "/alice.mikey": octets(file("sealed-now/sip%3Aalice@example.org.mikey")),
      };
      const site = await startSite(files, () => ({ "content-security-policy": policy }));
      const browser = await launchChromium();
      try {
        const page = await browser.newPage();
        await page.goto(site.origin);
        const shown = await page.getByText(/GMK|refused/).textContent();
        expect(shown).toMatch(/^GMK [0-9a-f]{8} from sip:gms@example\.org$/);
      } finally {
        await browser.close();
        await site.close();
      }
    });
  });
});
