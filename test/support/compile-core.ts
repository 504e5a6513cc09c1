/** assembly/ compiled as for the package, with its sources changed on the way. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";
import type { Build } from "../../bindings/core/core.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const OUT = "core.wasm";

/** The binary of a build from sources that went through `change`. Throws with the compiler's words if there is none. */
export async function compileCore(
  build: Build,
  change: (source: string, path: string) => string,
): Promise<Uint8Array> {
  let binary: Uint8Array | undefined;
  // -O1 in place of the package's -O3: half the time, the same results.
  const options = ["--config", "asconfig.json", "--target", build, "--outFile", OUT, "-O1"];
  const { error, stderr } = await asc.main(options, {
    readFile: (name, base) => {
      const path = resolve(ROOT, base, name);
      if (!existsSync(path)) return null;
      const source = readFileSync(path, "utf8");
      return path.startsWith(resolve(ROOT, "assembly")) ? change(source, path) : source;
    },
    writeFile: (name, contents) => {
      if (name === OUT) binary = contents as Uint8Array;
    },
    listFiles: (directory, base) =>
      readdirSync(resolve(ROOT, base, directory)).filter((name) => name.endsWith(".ts")),
  });
  if (binary === undefined) throw new Error(`${error?.message}\n${stderr}`);
  return binary;
}

/** A host may round the product of relaxed_madd before the sum: the specification leaves it the choice. */
export function withoutFusing(source: string): string {
  const name = "f64x2.relaxed_madd";
  if (!source.includes(name)) return source;
  return `${source.replaceAll(name, "roundedTwice")}
@inline function roundedTwice(a: v128, b: v128, c: v128): v128 {
  return f64x2.add(f64x2.mul(a, b), c);
}
`;
}
