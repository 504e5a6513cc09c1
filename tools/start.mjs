// `npm start`: builds the package and shows the main job: servers, and a group of 200 clients that get keys, over real sockets.
import { fileURLToPath } from "node:url";
import { runStep } from "./steps.mjs";

const STEPS = [
  ["building the WebAssembly core", "tools/build-wasm.mjs"],
  ["compiling what runs", "tools/build-ts.mjs", "--run"],
  ["mikey-sakke demo", "dist/cli/main.js", "demo"],
];

const cwd = fileURLToPath(new URL("..", import.meta.url));
for (const [what, ...command] of STEPS) {
  console.log(`\n> ${what}\n`);
  const started = performance.now();
  runStep(command, cwd);
  console.log(`(${((performance.now() - started) / 1000).toFixed(1)} s)`);
}
console.log("\nTo talk in two pages of a browser, with servers of their own: npm run play");
