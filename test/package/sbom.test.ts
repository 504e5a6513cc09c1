/** `npm run sbom`: what the package consists of, as its users and their auditors read it. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Licences that a vendor can embed without a duty to publish. */
const PERMISSIVE = ["MIT", "ISC", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "0BSD"];

interface Component {
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly hashes: readonly { readonly alg: string; readonly content: string }[];
  readonly licenses: readonly { readonly license?: { readonly id?: string }; readonly expression?: string }[];
}

interface LockedPackage {
  readonly version: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
}

const read = <T>(path: string) => JSON.parse(readFileSync(join(ROOT, path), "utf8")) as T;
const write = () => {
  execFileSync("node", ["tools/sbom.mjs"], { cwd: ROOT });
  return readFileSync(join(ROOT, "build/sbom.cdx.json"), "utf8");
};

describe("the bill of materials", () => {
  const text = write();
  const { components } = JSON.parse(text) as { readonly components: readonly Component[] };

  it("lists every package that the lock file has for run time, with its version and hash", () => {
    const { packages } = read<{ readonly packages: Record<string, LockedPackage> }>("package-lock.json");
    const locked = Object.entries(packages)
      .filter(([path, { dev }]) => path !== "" && dev !== true)
      .map(([path, { version }]) => `${path.slice(path.lastIndexOf("node_modules/") + 13)}@${version}`);
    expect(components.map(({ name, version }) => `${name}@${version}`).sort()).toEqual(
      [...new Set(locked)].sort(),
    );
    expect(components.filter(({ hashes }) => hashes[0]?.alg !== "SHA-512")).toEqual([]);
  });

  it("has permissive licences only", () => {
    const licences = components.map(({ licenses: [first] }) => first?.license?.id ?? first?.expression);
    expect(licences.filter((licence) => !PERMISSIVE.includes(licence!))).toEqual([]);
  });

  it("is the same each time it is written", () => {
    expect(write()).toBe(text);
  });
});
