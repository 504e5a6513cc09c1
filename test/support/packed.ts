/** The package as a consumer has it: packed from dist/, unpacked into the node_modules of an application. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface App {
  /** Folder of the application. */
  readonly folder: string;
  /** Where the package lies in it. */
  readonly package: string;
  /** Paths of the packed files. */
  readonly files: readonly string[];
  /** Environment in which commands of installed packages are found. */
  readonly env: NodeJS.ProcessEnv;
  remove(): void;
}

/** `tools`: commands of this repository's own node_modules that the application has as well. */
export function makeApp(tools: readonly string[] = []): App {
  if (!existsSync(join(ROOT, "dist"))) throw new Error("dist/ is missing: npm run build");
  const folder = mkdtempSync(join(tmpdir(), "mikey-sakke-app-"));
  const [packed] = JSON.parse(
    execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], {
      cwd: ROOT,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    }),
  ) as { filename: string; files: { path: string }[] }[];
  const modules = join(folder, "node_modules");
  const home = join(modules, "mikey-sakke");
  const bin = join(modules, ".bin");
  for (const made of [home, bin]) mkdirSync(made, { recursive: true });
  execFileSync("tar", ["-xf", join(folder, packed!.filename), "-C", home, "--strip-components=1"]);
  const manifest = JSON.parse(readFileSync(join(home, "package.json"), "utf8"));
  for (const name of dependenciesOf(Object.keys(manifest.dependencies))) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(ROOT, "node_modules", name), join(modules, name));
  }
  for (const tool of tools) symlinkSync(join(ROOT, "node_modules/.bin", tool), join(bin, tool));
  for (const [name, path] of Object.entries<string>(manifest.bin)) {
    execFileSync("chmod", ["+x", join(home, path)]);
    symlinkSync(join(home, path), join(bin, name));
  }
  return {
    folder,
    package: home,
    files: packed!.files.map(({ path }) => path),
    env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
    remove: () => rmSync(folder, { recursive: true }),
  };
}

/** With the dependencies of dependencies, but for those that lie in the folder of the package that needs them. */
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
