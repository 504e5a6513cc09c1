/** The packages as a consumer has them: packed from dist/, unpacked into the node_modules of an application. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly bin?: Readonly<Record<string, string>>;
  readonly man?: readonly string[];
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional: boolean }>>;
}

export interface Packed {
  readonly manifest: Manifest;
  readonly archive: string;
}

/** Both packages, the library first, as archives in `folder`. */
export function pack(folder: string): [library: Packed, server: Packed] {
  if (!existsSync(join(ROOT, "dist"))) throw new Error("dist/ is missing: npm run build");
  execFileSync(process.execPath, ["tools/packages.mjs", "--out", folder], { cwd: ROOT, stdio: "pipe" });
  const packed = (name: string): Packed => {
    const manifest: Manifest = JSON.parse(readFileSync(join(folder, name, "package.json"), "utf8"));
    return { manifest, archive: join(folder, `${name}-${manifest.version}.tgz`) };
  };
  return [packed("mikey-sakke"), packed("mikey-sakke-server")];
}

/** Paths of all files below a folder, in order. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

export interface App {
  /** Folder of the application. */
  readonly folder: string;
  /** Environment in which commands of installed packages are found. */
  readonly env: NodeJS.ProcessEnv;
  remove(): void;
}

/**
 * An application with both packages and, instead of an installation, links to the packages of this repository.
 * `tools`: commands of this repository's own node_modules that the application has as well.
 */
export function makeApp(tools: readonly string[] = []): App {
  const folder = mkdtempSync(join(tmpdir(), "mikey-sakke-app-"));
  const modules = join(folder, "node_modules");
  const bin = join(modules, ".bin");
  mkdirSync(bin, { recursive: true });
  for (const { manifest, archive } of pack(join(folder, "packed"))) {
    const home = join(modules, manifest.name);
    mkdirSync(home);
    execFileSync("tar", ["-xf", archive, "-C", home, "--strip-components=1"]);
    for (const name of dependenciesOf(Object.keys(manifest.dependencies))) {
      const link = join(modules, name);
      if (existsSync(link)) continue;
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(join(ROOT, "node_modules", name), link);
    }
    for (const [name, path] of Object.entries(manifest.bin ?? {})) {
      execFileSync("chmod", ["+x", join(home, path)]);
      symlinkSync(join(home, path), join(bin, name));
    }
  }
  for (const tool of tools) symlinkSync(join(ROOT, "node_modules/.bin", tool), join(bin, tool));
  return {
    folder,
    env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
    remove: () => rmSync(folder, { recursive: true }),
  };
}

/** Returns the packages and what they depend on, except what lies in the folder of the package that needs it. */
function dependenciesOf(names: readonly string[], found = new Set<string>()): Set<string> {
  for (const name of names) {
    const path = join(ROOT, "node_modules", name, "package.json");
    if (found.has(name) || !existsSync(path)) continue;
    found.add(name);
    const manifest = JSON.parse(readFileSync(path, "utf8"));
    dependenciesOf(Object.keys(manifest.dependencies ?? {}), found);
  }
  return found;
}
