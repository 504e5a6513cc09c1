// Compiles both builds of assembly/ and writes them as base64 to bindings/wasm/, so that the package needs no file
// access in Node, workers, browsers and bundlers.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const asc = join(
  dirname(createRequire(import.meta.url).resolve("assemblyscript/package.json")),
  "bin/asc.js",
);

mkdirSync(join(root, "build"), { recursive: true });
mkdirSync(join(root, "bindings/wasm"), { recursive: true });
for (const target of ["fma", "simd"]) {
  const run = spawnSync(process.execPath, [asc, "--config", "asconfig.json", "--target", target], {
    cwd: root,
    stdio: "inherit",
  });
  if (run.status !== 0) process.exit(run.status ?? 1);
  const binary = readFileSync(join(root, "build", `${target}.wasm`));
  const hash = createHash("sha256").update(binary).digest("hex");
  writeFileSync(
    join(root, "bindings/wasm", `${target}.ts`),
    `// Made by tools/build-wasm.mjs from assembly/. Do not edit.\n` +
      `// SHA-256 of the binary: ${hash}\n` +
      `export const base64 =\n  "${binary.toString("base64")}";\n`,
  );
  console.log(`${target}.wasm  ${binary.length} octets  sha256 ${hash}`);
}
