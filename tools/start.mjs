// `npm start`: builds the package and shows the main job, a GMK sealed to 1000 members and opened by each.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const STEPS = [
  ["building the WebAssembly core", "tools/build-wasm.mjs"],
  ["compiling the package", "tools/build-ts.mjs"],
  ["mikey-sakke demo --members 1000", "dist/cli/main.js", "demo", "--members", "1000"],
];

const cwd = fileURLToPath(new URL("..", import.meta.url));
for (const [what, ...command] of STEPS) {
  console.log(`\n> ${what}\n`);
  const { status } = spawnSync(process.execPath, command, { cwd, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
