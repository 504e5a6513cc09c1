// Writes assembly/generated/*.ts, the constant tables of the field kernels and curves.
// `node tools/generate-constants.mjs --check` compares instead of writing.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { curves } from "./constants/curves.mjs";
import { fma } from "./constants/fma.mjs";
import { fmaP256 } from "./constants/fma-p256.mjs";
import { moduli } from "./constants/moduli.mjs";
import { simd, simdP256 } from "./constants/simd.mjs";

const GENERATED = new URL("../assembly/generated/", import.meta.url);

const HEAD = "// Made by tools/generate-constants.mjs; a test runs it again and compares.\n\n";
const FILES = {
  "curves.ts": curves,
  "fma.ts": fma,
  "fma-p256.ts": fmaP256,
  "moduli.ts": moduli,
  "simd.ts": simd,
  "simd-p256.ts": simdP256,
};

let stale = 0;
for (const [name, make] of Object.entries(FILES)) {
  const path = fileURLToPath(new URL(name, GENERATED));
  const text = HEAD + make();
  if (!process.argv.includes("--check")) {
    writeFileSync(path, text);
  } else if (readFileSync(path, "utf8") !== text) {
    console.error(`${path} is stale: run node tools/generate-constants.mjs`);
    stale++;
  }
}
process.exitCode = stale === 0 ? 0 : 1;
