/** docs/expectations.md names tests that exist. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { titlesOf } from "../support/titles.ts";

const read = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), "utf8");

it("docs/expectations.md has each finding with its number and existing tests", () => {
  const rows = Array.from(
    read("docs/expectations.md").matchAll(/^\| ([NOFP])(\d+) \|.*$/gm),
    (match) => match,
  );
  const numbers = (letter: string) =>
    rows.filter(([, of]) => of === letter).map(([, , number]) => Number(number));
  expect(numbers("N")).toEqual(Array.from({ length: 14 }, (_, i) => i + 1));
  expect(numbers("O")).toEqual(Array.from({ length: 15 }, (_, i) => i + 1));
  expect(numbers("F")).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
  expect(numbers("P")).toEqual(Array.from({ length: 9 }, (_, i) => i + 1));
  for (const [row] of rows) {
    const tests = Array.from(row.matchAll(/`(test\/[\w./-]+)` “([^”]+)”/g));
    expect(tests.length, row).toBeGreaterThan(0);
    for (const [, file, title] of tests) expect(titlesOf(file!), row).toContain(title!);
  }
});
