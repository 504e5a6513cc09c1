// The steps of `npm start` and `npm run play`: each is a process of Node.js, and one that fails ends all of it and says so.
import { spawnSync } from "node:child_process";

/** Runs a step to its end. `command`: its script and arguments. */
export function runStep(command, cwd) {
  const { status, signal, error } = spawnSync(process.execPath, command, { cwd, stdio: "inherit" });
  if (status === 0) return;
  console.error(`\n${endText(command, { status, signal, error })}`);
  process.exit(status ?? 1);
}

/** Says how a process has ended, and what can be done about it. */
export function endText([script], { status, signal, error }) {
  if (error !== undefined) return `${script} could not be started: ${error.message}`;
  if (signal === null) return `${script} ended with exit status ${status}: the lines above say why.`;
  const advice = signal === "SIGKILL" ? " The system may have run out of memory." : "";
  return `${script} was ended by ${signal}.${advice} Start it again.`;
}
