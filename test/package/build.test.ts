/** The builds: what is made for running runs, what is made for the package has types, and nothing is made twice. */
import { spawnSync } from "node:child_process";
import { cp, mkdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../cli/run-cli.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const ASSEMBLY =
  'import "./kernels";\n' +
  "export function answer(): i32 {\n  return 42;\n}\nexport const heap: usize = __heap_base;\n";

/** The two namespaces of which asconfig.json chooses one. */
const KERNELS = {
  "assembly/kernels.ts": 'import * as fma from "./kernel";\nimport * as simd from "./kernel";\n',
  "assembly/kernel.ts": "export const LANES: i32 = 2;\n",
};

/** A small project with the tools of this one. */
const SOURCES = {
  "bindings/answer.ts":
    "export interface Answer {\n  readonly value: number;\n}\nexport const answer: Answer = { value: 42 };\n",
  "base/ground.ts": "export {};\n",
  "documents/document.ts": "export {};\n",
  "transport/late.ts": "export const late = 7;\n",
  "store/order.ts": 'globalThis.order = "store";\ndeclare global {\n  var order: string;\n}\nexport {};\n',
  "roles/role.ts":
    'import { type Answer, answer } from "../bindings/answer.ts";\nexport const role: Answer = answer;\n',
  "cli/main.ts":
    'import "../store/order.ts";\nimport { role } from "../roles/role.ts";\n' +
    'const { late } = await import("../transport/late.ts");\nconsole.log(order, role.value, late, import.meta.url.endsWith(".js"));\n',
};

let folder: string;

beforeEach(async () => {
  folder = await temporaryFolder();
  for (const name of ["tools", "tsconfig.json", "tsconfig.build.json", "asconfig.json", "package.json"]) {
    await cp(join(ROOT, name), join(folder, name), { recursive: true });
  }
  await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
  for (const [name, text] of Object.entries({ ...SOURCES, ...KERNELS, "assembly/index.ts": ASSEMBLY })) {
    await mkdir(join(folder, name, ".."), { recursive: true });
    await writeFile(join(folder, name), text);
  }
});

function node(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
  expect(status, stdout + stderr).toBe(0);
  return stdout;
}

const isThere = (name: string) => stat(join(folder, name)).then(Boolean, () => false);

/** Compilers start many times. */
const TIMEOUT = 300_000;

describe("the TypeScript build", { timeout: TIMEOUT }, () => {
  it("for running runs, and is not repeated before a source has changed", async () => {
    expect(node("tools/build-ts.mjs", "--run")).not.toContain("up to date");
    expect(node("dist/cli/main.js")).toBe("store 42 7 true\n");
    expect(await isThere("dist/cli/main.d.ts")).toBe(false);
    expect(node("tools/build-ts.mjs", "--run")).toContain("up to date");
    await writeFile(join(folder, "transport/late.ts"), "export const late = 8;\n");
    expect(node("tools/build-ts.mjs", "--run")).not.toContain("up to date");
    expect(node("dist/cli/main.js")).toBe("store 42 8 true\n");
  });

  it("for the package has types, also runs, and has no output of a deleted source", async () => {
    node("tools/build-ts.mjs", "--run");
    expect(node("tools/build-ts.mjs")).not.toContain("up to date");
    expect(await isThere("dist/roles/role.d.ts")).toBe(true);
    expect(node("dist/cli/main.js")).toBe("store 42 7 true\n");
    for (const options of [[], ["--run"]])
      expect(node("tools/build-ts.mjs", ...options)).toContain("up to date");
    expect(node("tools/build-ts.mjs", "--force")).not.toContain("up to date");
    await writeFile(join(folder, "store/more.ts"), "export const more = 1;\n");
    node("tools/build-ts.mjs");
    expect(await isThere("dist/store/more.js")).toBe(true);
    await rm(join(folder, "store/more.ts"));
    node("tools/build-ts.mjs");
    expect(await isThere("dist/store/more.js")).toBe(false);
  });

  it("is repeated when its output was changed or removed", async () => {
    node("tools/build-ts.mjs", "--run");
    await writeFile(join(folder, "dist/cli/main.js"), "broken");
    node("tools/build-ts.mjs", "--run");
    expect(node("dist/cli/main.js")).toBe("store 42 7 true\n");
    await rm(join(folder, "dist/roles/role.js"));
    node("tools/build-ts.mjs", "--run");
    expect(node("dist/cli/main.js")).toBe("store 42 7 true\n");
  });
});

describe("the build of the WebAssembly core", { timeout: TIMEOUT }, () => {
  it("is repeated when its sources have changed, and prints the same hash when they have not", async () => {
    const first = node("tools/build-wasm.mjs");
    expect(first).toMatch(/^fma\.wasm {2}\d+ octets {2}sha256 [0-9a-f]{64}\nsimd\.wasm /);
    const binary = await readFile(join(folder, "build/fma.wasm"));
    const again = node("tools/build-wasm.mjs");
    expect(again).toBe(`${first}assembly/ has not changed since\n`);
    await writeFile(join(folder, "assembly/index.ts"), ASSEMBLY.replace("42", "43"));
    expect(node("tools/build-wasm.mjs")).not.toContain("has not changed");
    expect((await readFile(join(folder, "build/fma.wasm"))).equals(binary)).toBe(false);
    await writeFile(join(folder, "assembly/index.ts"), ASSEMBLY);
    expect(node("tools/build-wasm.mjs", "--force")).toBe(first);
  });
});

it("every script that a fresh clone may run first includes the build", async () => {
  const { scripts } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
  // `npm test` builds by its `pretest`; the last three read no module of the core.
  const unbuilt = new Set(["test", "test:vitest", "errors", "lint", "bench:compare"]);
  const late = Object.entries<string>(scripts).filter(
    ([name, command]) =>
      !unbuilt.has(name) && /vitest|--import tsx/.test(command) && !/^npm run (-s )?build/.test(command),
  );
  expect(late).toEqual([]);
});
