/** What is packed: all that a consumer needs, and nothing else. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type App, makeApp } from "../support/packed.ts";

let app: App;
let manifest: { bin: Record<string, string>; exports: Record<string, string | Record<string, string>> };

beforeAll(() => {
  app = makeApp();
  manifest = JSON.parse(readFileSync(join(app.package, "package.json"), "utf8"));
});
afterAll(() => app?.remove());

it("holds code with its types, the page of the console, documents, and nothing else", () => {
  const expected =
    /^(README\.md|LICENSE|SECURITY\.md|package\.json|docs\/[A-Za-z-]+\.md|vectors\/[a-z.-]+\.json|vectors\/README\.md|dist\/(base|bindings|transport|documents|store|roles|cli)\/.+|web\/dist\/console\/[\w-]+\.(html|css|js|svg))$/;
  expect(app.files.filter((file) => !expected.test(file))).toEqual([]);
  const code = app.files.filter((file) => file.startsWith("dist/"));
  expect(code.filter((file) => !/\.(js|d\.ts)$/.test(file))).toEqual([]);
  const untyped = code.filter((file) => file.endsWith(".js") && !code.includes(file.replace(/js$/, "d.ts")));
  expect(untyped).toEqual([]);
});

it("holds every file that package.json names", () => {
  const named = [
    ...Object.values(manifest.bin),
    ...Object.values(manifest.exports).flatMap((e) => Object.values(e)),
  ];
  expect(named.length).toBeGreaterThan(4);
  const missing = named
    .filter((path) => path.startsWith("./"))
    .filter((path) => !app.files.includes(path.slice(2)));
  expect(missing).toEqual([]);
});

it("starts its command with node", () => {
  const main = readFileSync(join(app.package, manifest.bin["mikey-sakke"]!), "utf8");
  expect(main).toMatch(/^#!\/usr\/bin\/env node\n/);
});
