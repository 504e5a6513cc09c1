/**
 * Tests of the code blocks of pages that are not run from start to end, as README.md and the tutorials are: they can at
 * least be taken as they stand.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { type KmsConfigInput, parseKmsConfig } from "../../roles/kms/common/config.ts";
import { callsIn, strayIn } from "../support/calls.ts";
import { codeBlocks } from "../support/code-blocks.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));

const PAGES = [
  ...readdirSync(join(ROOT, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
  "README.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "deploy/README.md",
];
const BLOCKS = PAGES.flatMap((page) =>
  codeBlocks(readFileSync(join(ROOT, page), "utf8")).map((block) => ({ page, ...block })),
);
const COMMANDS = BLOCKS.filter(({ language }) => language === "sh");

it("every call of the command in a page has options that there are", () => {
  const calls = COMMANDS.flatMap(({ page, body }) => callsIn(body).map((call) => ({ page, call })));
  expect(calls.length).toBeGreaterThan(100);
  expect(calls.filter(({ call }) => strayIn(call).length > 0)).toEqual([]);
});

it("a misspelt command or option in a page would be found", () => {
  expect(strayIn("mikey-sakke kms audit --json --usr sip:alice@example.org")).toEqual(["--usr"]);
  expect(strayIn("mikey-sakke kms adit")).toEqual(["kms"]);
  expect(strayIn("mikey-sakke kms audit --user sip:alice@example.org")).toEqual([]);
});

it("scripts and files that blocks of a page name exist", () => {
  const missing = COMMANDS.flatMap(({ page, body }) => [
    ...Array.from(body.matchAll(/npm run (?:-s )?([\w:]+)/g), ([, name]) => name!).filter(
      (name) => scripts[name] === undefined,
    ),
    ...Array.from(
      body.matchAll(/(?<![\w/.-])((?:deploy|tools|test|docs|vectors)\/[\w./@-]+\.\w+)/g),
      ([, file]) => file!,
    )
      .filter((file) => !existsSync(join(ROOT, file)))
      .map((file) => `${page}: ${file}`),
  ]);
  expect(missing).toEqual([]);
});

it("configurations of a KMS in the pages are taken", () => {
  const blocks = BLOCKS.filter(({ language }) => language === "json").map(
    ({ body }) => JSON.parse(body) as object,
  );
  const configurations = blocks.filter((block) => "kmsUri" in block);
  expect(configurations.length).toBeGreaterThan(0);
  for (const configuration of configurations) parseKmsConfig(configuration as KmsConfigInput);
});
