/**
 * No regular expression of the shipped code takes more than linear time on any text: octets from outside reach most of
 * them before anybody has proven who they are.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { checkSync as CheckSync } from "recheck";
import ts from "typescript";
import { beforeAll, describe, expect, it, vi } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const FOLDERS = ["assembly", "base", "bindings", "transport", "documents", "store", "roles", "cli"];

/** Made in a function, of numbers of our own. */
const BUILT_IN_FUNCTIONS = ["cli/commands/inspect.ts"];

interface Site {
  readonly file: string;
  readonly line: number;
  readonly literal?: string;
  readonly inFunction: boolean;
}

function sitesIn(file: string): Site[] {
  const source = ts.createSourceFile(
    file,
    readFileSync(join(ROOT, file), "utf8"),
    ts.ScriptTarget.Latest,
    true,
  );
  const sites: Site[] = [];
  const visit = (node: ts.Node, inFunction: boolean): void => {
    const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
    if (ts.isRegularExpressionLiteral(node)) sites.push({ file, line, literal: node.text, inFunction });
    const made = ts.isNewExpression(node) || ts.isCallExpression(node);
    if (made && node.expression.getText() === "RegExp") sites.push({ file, line, inFunction });
    ts.forEachChild(node, (child) => visit(child, inFunction || ts.isFunctionLike(node)));
  };
  visit(source, false);
  return sites;
}

const FILES = FOLDERS.flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).map((name) => join(folder, name)),
).filter((file) => /(?<!\.d)\.ts$/.test(file) && !file.includes("__tests__"));
const SITES = FILES.flatMap(sitesIn);
const BUILT = SITES.filter(({ literal }) => literal === undefined);

let checkSync: typeof CheckSync;
beforeAll(async () => {
  // Neither Java nor a binary of the platform is needed.
  vi.stubEnv("RECHECK_BACKEND", "pure");
  ({ checkSync } = await import("recheck"));
});

/** Characters read alone decide: with limits of time a slow machine would find what is not there. */
const BY_COUNT = { timeout: null, incubationTimeout: null, attackTimeout: null, randomSeed: 1 };

/** Returns what the checker says against it; undefined when it takes linear time at most. */
function faultOf(source: string, flags: string): string | undefined {
  const found = checkSync(source, flags, BY_COUNT);
  if (found.status === "safe") return undefined;
  if (found.status === "unknown") return `not decided: ${found.error.kind}`;
  return `${found.complexity.summary}, as for ${found.attack.pattern}`;
}

function split(literal: string): [source: string, flags: string] {
  const end = literal.lastIndexOf("/");
  return [literal.slice(1, end), literal.slice(end + 1)];
}

describe("regular expressions of the shipped code", () => {
  it("are found, both literals and built ones", () => {
    expect(SITES.length).toBeGreaterThan(150);
    expect(BUILT.length).toBeGreaterThan(10);
  });

  it("have a checker that finds a quadratic one, and passes its linear form", () => {
    expect(faultOf("^([^\\s:]+)[ \\t]*:[ \\t]*(.*)$", "")).toContain("2nd degree polynomial");
    expect(faultOf("^([^\\s:]+)[ \\t]*:(.*)$", "s")).toBeUndefined();
  });

  it("take linear time as literals", { timeout: 300_000 }, () => {
    const checked = new Map<string, string | undefined>();
    const faults = SITES.flatMap(({ file, line, literal }) => {
      if (literal === undefined) return [];
      if (!checked.has(literal)) checked.set(literal, faultOf(...split(literal)));
      const fault = checked.get(literal);
      return fault === undefined ? [] : [`${file}:${line} ${literal} ${fault}`];
    });
    expect(faults).toEqual([]);
  });

  it("take linear time when built at the loading of a module", { timeout: 300_000 }, async () => {
    const inFunctions = BUILT.filter(({ inFunction }) => inFunction).map(({ file }) => file);
    expect(inFunctions).toEqual(BUILT_IN_FUNCTIONS);
    const built = new Map<string, RegExp>();
    const recording = new Proxy(RegExp, {
      construct(target, [source, flags]) {
        const made = new target(source, flags);
        built.set(String(made), made);
        return made;
      },
    });
    vi.stubGlobal("RegExp", recording);
    try {
      const files = new Set(BUILT.filter(({ inFunction }) => !inFunction).map(({ file }) => file));
      for (const file of files) await import(pathToFileURL(join(ROOT, file)).href);
    } finally {
      vi.unstubAllGlobals();
    }
    expect(built.size).toBeGreaterThanOrEqual(BUILT.length - inFunctions.length);
    const faults = [...built.values()].flatMap(({ source, flags }) => {
      const fault = faultOf(source, flags);
      return fault === undefined ? [] : [`${source} ${fault}`];
    });
    expect(faults).toEqual([]);
  });
});
