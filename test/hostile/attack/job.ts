/** Attackers as processes of their own, so that they do not take the time of the clients whose answers are timed. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Answers } from "../asked.ts";

export interface AttackJob {
  readonly seed: string;
  readonly stockFile: string;
  /** It sends the inputs `first`, `first + step`, … below `end`. */
  readonly first: number;
  readonly step: number;
  readonly end: number;
  /** The time after which the attack stops, whatever is left. */
  readonly milliseconds: number;
  /** Loopback addresses. */
  readonly sources: readonly string[];
}

export interface AttackFigures {
  readonly sent: number;
  readonly kinds: Readonly<Record<string, number>>;
  /** "CHANNEL STATUS" and how often. */
  readonly answers: Readonly<Record<string, number>>;
  /** Requests of the attackers, sound ones, that a server did not answer in time. */
  readonly unanswered: number;
  /** SUBSCRIBEs with a token of their own, which is good: they subscribe the outsider, to nothing. */
  readonly subscribed: Answers;
}

export interface Attack {
  /** Returns how much has been sent so far. */
  readonly sent: () => number;
  readonly done: Promise<AttackFigures>;
  stop(): void;
}

const SCRIPT = fileURLToPath(new URL("attacker.ts", import.meta.url));

export function startAttack(job: AttackJob): Attack {
  const args = ["--import", "tsx", SCRIPT, JSON.stringify(job)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let last: Partial<AttackFigures> = {};
  createInterface({ input: child.stdout }).on("line", (line) => {
    last = JSON.parse(line) as Partial<AttackFigures>;
  });
  const done = new Promise<AttackFigures>((resolve, reject) => {
    child.on("close", (code) => {
      if (code === 0 && last.kinds !== undefined) resolve(last as AttackFigures);
      else reject(new Error(`an attacker ended with ${code}`));
    });
  });
  // A later await must find the rejection; until then nobody handles it.
  done.catch(() => undefined);
  return { sent: () => last.sent ?? 0, done, stop: () => void child.kill("SIGKILL") };
}

export function together(figures: readonly AttackFigures[]): AttackFigures {
  const sum = (records: readonly Readonly<Record<string, number>>[]) => {
    const total: Record<string, number> = {};
    for (const record of records) {
      for (const [name, count] of Object.entries(record)) total[name] = (total[name] ?? 0) + count;
    }
    return total;
  };
  return {
    sent: figures.reduce((total, { sent }) => total + sent, 0),
    kinds: sum(figures.map(({ kinds }) => kinds)),
    answers: sum(figures.map(({ answers }) => answers)),
    unanswered: figures.reduce((total, { unanswered }) => total + unanswered, 0),
    subscribed: {
      granted: figures.reduce((total, { subscribed }) => total + subscribed.granted, 0),
      unanswered: figures.reduce((total, { subscribed }) => total + subscribed.unanswered, 0),
    },
  };
}
