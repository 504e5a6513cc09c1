// Compiles both builds of assembly/ and writes them as hexadecimal to bindings/wasm/, so that the package needs no file
// access in Node, workers, browsers and bundlers. Compressed in a bundle, hexadecimal takes three quarters of what base64
// takes, in which the same octets look different at every place of three. Skipped when nothing has changed; `--force`
// compiles in any case.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { root, Stamp } from "./up-to-date.mjs";

const TARGETS = ["fma", "simd"];

const require = createRequire(import.meta.url);
const manifest = require.resolve("assemblyscript/package.json");
const asc = join(dirname(manifest), "bin/asc.js");

const stamp = new Stamp("wasm", {
  inputs: ["assembly", "asconfig.json", "tools/build-wasm.mjs"],
  versions: [require(manifest).version],
  outputs: TARGETS.flatMap((target) => [`build/${target}.wasm`, `bindings/wasm/${target}.ts`]),
});
const told = process.argv.includes("--force") ? undefined : stamp.current;
if (told !== undefined) {
  console.log(`${told.join("\n")}\nassembly/ has not changed since`);
} else {
  stamp.begin();
  mkdirSync(join(root, "build"), { recursive: true });
  mkdirSync(join(root, "bindings/wasm"), { recursive: true });
  const lines = await Promise.all(TARGETS.map(build));
  console.log(lines.join("\n"));
  stamp.end(lines);
}

async function build(target) {
  // AS112 warns of v128 in the signatures of functions that asc takes for exports; none leaves the module.
  const options = ["--config", "asconfig.json", "--target", target, "--disableWarning", "112"];
  const [status] = await once(
    spawn(process.execPath, [asc, ...options], { cwd: root, stdio: "inherit" }),
    "close",
  );
  if (status !== 0) process.exit(status ?? 1);
  const binary = readFileSync(join(root, "build", `${target}.wasm`));
  const hash = createHash("sha256").update(binary).digest("hex");
  const limits = memoryLimitsAt(binary);
  writeFileSync(
    join(root, "bindings/wasm", `${target}.ts`),
    `// Made by tools/build-wasm.mjs from assembly/. Do not edit.\n` +
      `// SHA-256 of the binary: ${hash}\n` +
      `/** Where the kind of the imported memory stands: 1 for one of its own, 3 for a shared one. */\n` +
      `export const memoryLimitsAt = ${limits};\n` +
      `export const hex =\n  "${binary.toString("hex")}";\n`,
  );
  return `${target}.wasm  ${binary.length} octets  sha256 ${hash}`;
}

/** Offset of the limits of the imported memory: an import "memory" of kind 2, its limits flag, and no other import. */
function memoryLimitsAt(binary) {
  const entry = Buffer.from("\x03env\x06memory\x02\x01", "latin1");
  const at = binary.indexOf(entry);
  if (at < 0) throw new Error("the module does not import a memory with a maximum");
  return at + entry.length - 1;
}
