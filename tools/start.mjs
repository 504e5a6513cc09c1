// `npm start`: builds the package and shows the main job: servers, and a group of 200 clients that get keys, over real sockets.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const STEPS = [
  ["building the WebAssembly core", "tools/build-wasm.mjs"],
  ["compiling the package", "tools/build-ts.mjs"],
  ["mikey-sakke demo", "dist/cli/main.js", "demo"],
];

const cwd = fileURLToPath(new URL("..", import.meta.url));
for (const [what, ...command] of STEPS) {
  console.log(`\n> ${what}\n`);
  const { status } = spawnSync(process.execPath, command, { cwd, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
