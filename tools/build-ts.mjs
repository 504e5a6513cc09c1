// Compiles bindings/, transport/, store/, roles/ and cli/ to dist/, which is emptied first so that no file of a removed
// source stays in the package.
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const typescript = dirname(createRequire(import.meta.url).resolve("typescript/package.json"));

rmSync(join(root, "dist"), { recursive: true, force: true });
const args = [join(typescript, "bin/tsc"), "-p", "tsconfig.build.json"];
const run = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" });
process.exitCode = run.status ?? 1;
