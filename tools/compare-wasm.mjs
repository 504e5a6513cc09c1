// node tools/compare-wasm.mjs PACKAGE: whether the WebAssembly in an installed package is what `npm run build:wasm` made
// here. PACKAGE is the folder of the package, such as node_modules/mikey-sakke.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const folder = process.argv[2];
if (folder === undefined) {
  console.error("usage: node tools/compare-wasm.mjs PACKAGE");
  process.exit(2);
}

const sha256 = (octets) => createHash("sha256").update(octets).digest("hex");

for (const build of ["fma", "simd"]) {
  const file = resolve(folder, "dist/bindings/wasm", `${build}.js`);
  // The hash of what the package runs, not the one it states.
  const { hex } = await import(pathToFileURL(file).href);
  const theirs = sha256(Buffer.from(hex, "hex"));
  const ours = sha256(
    readFileSync(join(fileURLToPath(new URL("../build", import.meta.url)), `${build}.wasm`)),
  );
  if (theirs !== ours) process.exitCode = 1;
  console.log(
    `${build}  ${theirs === ours ? "same" : "DIFFERENT"}\n  package  ${theirs}\n  built    ${ours}`,
  );
}
