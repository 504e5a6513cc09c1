/** The attacks of SECURITY.md: each names a test that is there. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { titlesOf } from "../support/titles.ts";

const ROOT = new URL("../../", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, ROOT), "utf8");

describe("SECURITY.md", () => {
  const section = read("SECURITY.md")
    .split(/^## /m)
    .find((text) => text.startsWith("Attacks that worked once"))!;
  const rows = section.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| attack |"));
  const tests = rows.map((row) => /\| `([^`]+)` “([^”]+)” \|$/.exec(row));

  it("has a test for every attack", () => {
    expect(rows.length).toBeGreaterThan(20);
    expect(rows.filter((_, i) => tests[i] === null)).toEqual([]);
  });

  it.each(tests.filter((row) => row !== null).map(([, file, title]) => [title!, file!]))(
    "quotes “%s”, a title in %s",
    (title, file) => {
      expect(titlesOf(`test/${file}`)).toContain(title);
    },
  );
});
