/** Modules of assembly/ that the package does not ship, compiled with the options of asconfig.json. Node only. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";
import type { Build } from "../bindings/core/core.ts";

export const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** A target of asconfig.json: a build of the package, or the same with assertions. */
export type Target = Build | `debug-${Build}`;

type OptionValue = string | number | boolean | readonly string[];

interface AscConfig {
  readonly options: Readonly<Record<string, OptionValue>>;
  readonly targets: Readonly<Record<Target, Readonly<Record<string, OptionValue>>>>;
}

/** Changes a source text before it is compiled; `path` is relative to the root. Undefined leaves it as it is. */
export type Rewrite = (path: string, text: string | undefined) => string | undefined;

/** The binary of `entry`, a path relative to the root. */
export async function compileAssembly(
  entry: string,
  target: Target,
  rewrite: Rewrite = () => undefined,
): Promise<Uint8Array> {
  const config = JSON.parse(readFileSync(join(ROOT, "asconfig.json"), "utf8")) as AscConfig;
  let binary: Uint8Array | undefined;
  const options = new Map(Object.entries(config.options));
  // As asc does it: lists of both count, and any other value of the target.
  for (const [name, value] of Object.entries(config.targets[target])) {
    const general = options.get(name);
    options.set(name, Array.isArray(value) && Array.isArray(general) ? [...general, ...value] : value);
  }
  options.delete("outFile");
  const flags = [...options].flatMap(([name, value]) => flagOf(name, value));
  const { error, stderr } = await asc.main([entry, "--outFile", "out.wasm", ...flags], {
    readFile: (name, base) => {
      // Its entries would be compiled as well.
      if (name === "asconfig.json") return null;
      const path = resolve(ROOT, base, name);
      const text = existsSync(path) ? readFileSync(path, "utf8") : undefined;
      return rewrite(relative(ROOT, path), text) ?? text ?? null;
    },
    writeFile: (name, contents) => {
      if (name === "out.wasm") binary = contents as Uint8Array;
    },
    listFiles: (directory, base) =>
      readdirSync(resolve(ROOT, base, directory)).filter((file) => file.endsWith(".ts")),
  });
  if (error !== null || binary === undefined) throw new Error(`${entry}: ${error?.message}\n${stderr}`);
  return binary;
}

function flagOf(name: string, value: OptionValue): string[] {
  if (value === true) return [`--${name}`];
  if (value === false) return [];
  return [`--${name}`, Array.isArray(value) ? value.join(",") : String(value)];
}
