/** docs/conformance.md is complete and true: every sentence once, its place in the code, and tests that are there. */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { titlesOf } from "../support/titles.ts";

const ROOT = new URL("../../", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, ROOT), "utf8");
const DOCUMENT = read("docs/conformance.md");

/** Paragraph (or step) and sentence; a letter behind that where a sentence asks for several things. */
const IDS: Readonly<Record<string, string>> = {
  "4.3.5.2": "1a 1b 1c 2a 2b 2c i1 i2 3a 3b 4a 4b 4c 4d 5a 5b 5c 5d 5i 6a 6b 6c 6i i3",
  "5.7.1": "1a 1b 1c 1d 2a 2b 2c 2d 2e 3a 3b 3c 3d 3e 4a",
  "5.7.2": "1a 1b-sip 1b-http",
  "5.7.2.x":
    "i1 i2 i3 0a 0b 1a 1b 1c-encrypted 1c-signed 1d 1e 1f 2a-signature 2a-authorised 2a-extract 2a-duplicate " +
    "2b-extract 2b-decrypt 2c 2d 2e-store 2e-respond 3a",
  "5.7.2.y": "i1 i2 i3 0a 0b 1a 2a-validate 2a-reply 2b 2c-validate 2c-extract 2d 2e 2f 3a",
};
const EXPECTED = Object.entries(IDS).flatMap(([clause, ids]) =>
  ids.split(" ").map((id) => `${clause}-${id}`),
);

/** Clauses of which the page says what was read, and what was not. */
const OTHERS = ["5.1.3", "5.3", "5.4", "5.6", "5.8", "7.2", "7.3", "7.4", "7.5", "8", "9"];

interface Row {
  readonly id: string;
  readonly requirement: string;
  /** Paths from the root of the repository. */
  readonly implemented: readonly string[];
  readonly tests: readonly { readonly file: string; readonly title: string }[];
}

const rowsUnder = (heading: string): Row[] => {
  const section = DOCUMENT.split(/^## /m).find((text) => text.startsWith(heading)) ?? "";
  return section
    .split("\n")
    .filter((line) => /^\| [^|]*\d/.test(line))
    .map((line) => {
      const cells = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
      const [id = "", requirement = "", implemented = "", tests = ""] = cells.slice(1, -1);
      return {
        id: id.replaceAll("`", ""),
        requirement,
        implemented: [...implemented.matchAll(/`([^`]+)`/g)].map((m) => m[1]!),
        tests: [...tests.matchAll(/`([^`]+)` “([^”]+)”/g)].map((m) => ({ file: m[1]!, title: m[2]! })),
      };
    });
};

const INFORMATIVE = "Informative";
const clauses = Object.keys(IDS).flatMap((clause) => rowsUnder(`${clause} `));
const others = rowsUnder("Other clauses");
const checks = rowsUnder("Checks of the client");

describe("docs/conformance.md", () => {
  it("has every sentence of the clauses once, in order", () => {
    expect(clauses.map(({ id }) => id)).toEqual(EXPECTED);
  });

  it("has rows of each other clause of keys, media and signalling, in order, or says that it was not read", () => {
    const unread = rowsUnder("Not read").map(({ id }) => id);
    const isOf = (clause: string) => (id: string) =>
      id
        .split(/, | and | to /)
        .some((each) => `${each}.`.startsWith(`${clause}.`) || each.startsWith(`${clause}-`));
    const told = [...others.map(({ id }) => id), ...unread];
    expect(OTHERS.filter((clause) => !told.some(isOf(clause)))).toEqual([]);
    const places = others.map(({ id }) => id.split("-", 1)[0]!.split(".").map(Number));
    const inOrder = places.toSorted((a, b) => {
      const at = a.findIndex((number, i) => number !== b[i]);
      return at < 0 ? a.length - b.length : a[at]! - (b[at] ?? -1);
    });
    expect(places).toEqual(inOrder);
  });

  it("has a row for each check that fails, over SIP and over HTTP", () => {
    expect(checks.map(({ id }) => id)).toEqual(Array.from({ length: 7 }, (_, i) => `check-${i + 1}`));
  });

  it.each([...clauses, ...others, ...checks])(
    "has true places and tests for $id",
    ({ requirement, implemented, tests }) => {
      expect(requirement).not.toBe("");
      if (requirement.startsWith(INFORMATIVE)) return;
      expect(implemented.length).toBeGreaterThan(0);
      expect(implemented.filter((path) => !existsSync(new URL(path, ROOT)))).toEqual([]);
      expect(tests.length).toBeGreaterThan(0);
      for (const { file, title } of tests) expect(titlesOf(file), file).toContain(title);
    },
  );
});
