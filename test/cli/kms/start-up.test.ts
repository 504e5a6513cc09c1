/** The packages of the servers are loaded by the commands that need them: the others start without. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { temporaryFolder, vector } from "../run-cli.ts";

const MAIN = fileURLToPath(new URL("../../../cli/main.ts", import.meta.url));
const HEAVY = /\/node_modules\/(fastify|@electric-sql|pg|undici|zod|jose|pino|prom-client|libxml2-wasm)\//;
const SERVERS = /\/(?:store|roles|cli\/(?:kms|mcx|serve))\/|\/cli\/server\/(?!folder-options)/;

/** Every module that a run of the command loads, as URLs. */
async function modulesOf(args: readonly string[]): Promise<string[]> {
  const folder = await temporaryFolder();
  const list = join(folder, "modules.txt");
  const hooks = `import { appendFileSync } from "node:fs";
    export async function load(url, context, next) {
      appendFileSync(${JSON.stringify(list)}, url + "\\n");
      return next(url, context);
    }`;
  await writeFile(join(folder, "hooks.mjs"), hooks);
  const register = `import { register } from "node:module"; register(${JSON.stringify(join(folder, "hooks.mjs"))}, "file:///");`;
  await writeFile(join(folder, "register.mjs"), register);
  const child = spawn(process.execPath, [
    "--import",
    "tsx",
    "--import",
    join(folder, "register.mjs"),
    MAIN,
    ...args,
  ]);
  child.stdout.resume();
  const [status] = await once(child, "exit");
  expect(status).toBe(0);
  return [...new Set((await readFile(list, "utf8")).trim().split("\n"))];
}

describe("the start of a command", () => {
  it.each([[["--help"]], [["kms", "issue", "--help"]], [["inspect", vector("production-gmk.mikey")]]])(
    "loads no module of the servers for %j",
    async (args) => {
      const modules = await modulesOf(args);
      expect(modules.length).toBeGreaterThan(20);
      expect(modules.filter((url) => HEAVY.test(url))).toEqual([]);
      expect(modules.filter((url) => SERVERS.test(url))).toEqual([]);
    },
  );

  it("loads the modules of the servers where they are needed", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "config.json"), JSON.stringify({ kmsUri: "kms.example.org" }));
    const modules = await modulesOf([
      "kms",
      "token",
      "--data-dir",
      folder,
      "--user",
      "sip:alice@example.org",
    ]);
    expect(modules.some((url) => url.includes("/node_modules/jose/"))).toBe(true);
    expect(modules.some((url) => SERVERS.test(url))).toBe(true);
  });
});
