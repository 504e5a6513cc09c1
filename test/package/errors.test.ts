/** The table of error codes: docs/errors.md has it, and each code in it is thrown somewhere. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { AREAS, ERROR_CODES } from "../../base/error-codes/index.ts";
import { ERRORS_PAGE, errorsPage } from "../../tools/errors-page.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const FLOORS = ["base", "bindings", "transport", "documents", "store", "roles", "cli"];
/** Files that look codes up. */
const NO_THROW = /^(?:base\/error-codes\/.*|cli\/terminal\/exit-status\.ts)$/;
/** Where a code in quotes is not thrown: comparisons, sets to look it up in, types. */
const NOT_THROWN = [
  /[!=]== "\w+"/g,
  /isError\(\w+, "\w+"\)/g,
  /new Set\(\[[^\]]*\]\)/g,
  /(?:"\w+" \| )+"\w+"/g,
  /^ +\| "\w+"/gm,
];

const sources = FLOORS.flatMap((floor) =>
  readdirSync(join(ROOT, floor), { recursive: true, encoding: "utf8" })
    .map((file) => `${floor}/${file}`)
    .filter((file) => file.endsWith(".ts") && !NO_THROW.test(file)),
).map((file) =>
  NOT_THROWN.reduce((text, pattern) => text.replace(pattern, ""), readFileSync(join(ROOT, file), "utf8")),
);
const quoted = new Set(
  sources.flatMap((text) => [...text.matchAll(/"([A-Z][A-Z0-9_]*)"/g)].map(([, it]) => it!)),
);
/** Codes that are put together, such as `XML_SIGNATURE_${which}`. */
const prefixes = sources.flatMap((text) =>
  [...text.matchAll(/`([A-Z][A-Z_]*_)\$\{\w+\}`/g)].map(([, it]) => it!),
);

function isThrown(code: string): boolean {
  const parts = prefixes
    .filter((prefix) => code.startsWith(prefix))
    .map((prefix) => code.slice(prefix.length));
  return [code, ...parts].some((text) => quoted.has(text));
}

describe("the table of error codes", () => {
  it("is docs/errors.md, which `npm run errors` writes", () => {
    expect(readFileSync(ERRORS_PAGE, "utf8")).toBe(errorsPage());
  });

  it("has each code in one area", () => {
    const codes = Object.values(AREAS).flatMap((area) => Object.keys(area));
    expect(codes.sort()).toEqual(Object.keys(ERROR_CODES).sort());
  });

  it("says what each code means in whole sentences", () => {
    const others = Object.values(ERROR_CODES).filter((meaning) => !/^[A-Z].{10,}[^.]\.$/.test(meaning));
    expect(others).toEqual([]);
  });

  it("has only codes that something throws", () => {
    expect(Object.keys(ERROR_CODES).filter((code) => !isThrown(code))).toEqual([]);
  });
});
