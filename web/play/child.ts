/** A process that `npm run play` needs, and what a person is told when it ends by itself. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";

/** The last lines of its standard error that are told. */
const LINES = 12;

export interface WatchedChild {
  /** Resolves to a text for people when the process has ended and was not stopped. */
  readonly died: Promise<string>;
  /** Ends the process, and resolves when it has ended. */
  stop(): Promise<void>;
}

/** Watches a process whose standard error is a pipe, and passes that on. `name` says what the process is. */
export function watchChild(name: string, child: ChildProcess): WatchedChild {
  let said = "";
  let isStopped = false;
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    process.stderr.write(text);
    said = `${said}${text}`
      .split("\n")
      .slice(-LINES - 1)
      .join("\n");
  });
  const died = new Promise<string>((resolve) => {
    child.once("error", ({ message }) => resolve(`${name} could not be started: ${message}`));
    // All of the standard error has come by then.
    child.once("close", (code, signal) => {
      if (!isStopped) resolve(textOf(`${name} (process ${child.pid})`, { code, signal, said }));
    });
  });
  return {
    died,
    async stop() {
      isStopped = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
    },
  };
}

interface Death {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly said: string;
}

function textOf(name: string, { code, signal, said }: Death): string {
  const how = signal === null ? `ended with exit status ${code}` : `was ended by ${signal}`;
  const lines = said.trim();
  return [
    `${name} ${how}.`,
    lines === ""
      ? "It wrote nothing to its standard error."
      : `Its last lines of standard error:\n\n${lines}\n`,
    adviceOn(signal),
  ].join("\n");
}

function adviceOn(signal: NodeJS.Signals | null): string {
  if (signal === "SIGKILL")
    return "Nothing of npm run play sends this signal: see whether the system ran out of memory, and start it again.";
  return "Mend what these lines name, and start npm run play again; docs/errors.md explains the codes of errors.";
}
