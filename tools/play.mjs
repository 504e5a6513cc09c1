// `npm run play`: builds what is missing, and starts servers with two pages.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { endText, runStep } from "./steps.mjs";

const cwd = fileURLToPath(new URL("..", import.meta.url));
for (const step of [["tools/build-wasm.mjs"], ["tools/build-ts.mjs", "--run"], ["tools/build-web.mjs"]])
  runStep(step, cwd);
const main = ["--import", "tsx", "web/play/main.ts", ...process.argv.slice(2)];
const child = spawn(process.execPath, main, { cwd, stdio: "inherit" });
// Both get Ctrl-C; this one waits for the other.
for (const signal of ["SIGINT", "SIGTERM"])
  process.on(signal, () => signal === "SIGTERM" && child.kill(signal));
child.on("exit", (status, signal) => {
  // What it ends with by itself, it has explained.
  if (signal !== null) console.error(`\n${endText(["web/play/main.ts"], { status, signal })}`);
  process.exit(status ?? 1);
});
