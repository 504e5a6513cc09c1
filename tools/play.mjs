// `npm run play`: builds what is missing, and starts servers with two pages.
import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const cwd = fileURLToPath(new URL("..", import.meta.url));
for (const step of [["tools/build-wasm.mjs"], ["tools/build-ts.mjs", "--run"], ["tools/build-web.mjs"]]) {
  const { status } = spawnSync(process.execPath, step, { cwd, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
const main = ["--import", "tsx", "web/play/main.ts", ...process.argv.slice(2)];
const child = spawn(process.execPath, main, { cwd, stdio: "inherit" });
// Both get Ctrl-C; this one waits for the other.
for (const signal of ["SIGINT", "SIGTERM"])
  process.on(signal, () => signal === "SIGTERM" && child.kill(signal));
child.on("exit", (code) => process.exit(code ?? 1));
