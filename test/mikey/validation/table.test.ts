/** docs/validation.md is complete and true: every check, its number, its place and its test. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CHECKS } from "../../../base/checks.ts";

const root = new URL("../../../", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), "utf8");

interface Row {
  number: number;
  code: string;
  implemented: string[];
  test: string;
}

const names = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map((m) => m[1]!);

const rows: Row[] = read("docs/validation.md")
  .split("\n")
  .filter((line) => /^\| \d+ \|/.test(line))
  .map((line) => {
    const [number, code, _text, _clause, implemented, test] = line
      .split("|")
      .slice(1)
      .map((cell) => cell.trim());
    return {
      number: Number(number),
      code: names(code!)[0]!,
      implemented: names(implemented!),
      test: names(test!)[0]!,
    };
  });

describe("docs/validation.md", () => {
  it("lists every check once, in order, with its number", () => {
    const listed = rows.map((r) => [r.code, r.number]);
    expect(listed).toEqual(Object.entries(CHECKS).map(([code, [number]]) => [code, number]));
    const numbers = rows.map((r) => r.number);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  });

  it.each(rows)("has $number $code with a place that exists", ({ code, implemented, test }) => {
    expect(read(`test/mikey/validation/${test}`)).toContain(`"${code}"`);
    const sources = implemented.map((path) => read(`bindings/${path}`));
    expect(sources.some((source) => source.includes(`"${code}"`))).toBe(true);
  });
});
