/**
 * Notifications of PostgreSQL, on a connection of its own. Whether they arrive is tried out, at first and from time to
 * time: behind a pooler that shares connections LISTEN succeeds and nothing is ever heard, and a host that is gone says
 * nothing either.
 */
import { randomUUID } from "node:crypto";
import pg from "pg";
import { backOff } from "../../base/back-off.ts";
import { systemClock } from "../../base/clock.ts";
import { systemRandom } from "../../base/random.ts";
import type { Listener } from "./sql.ts";

const TRIAL = "trial ";
/** Between two trials, and until one has failed. */
const TRIAL_EVERY = 15_000;
const TRIAL_TAKES = 5000;
const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 30_000;

/** `notify` sends a notification the way that others send theirs. Returns what ends it all. */
export function listenOn(
  url: string,
  channel: string,
  listener: Listener,
  notify: (payload: string) => Promise<void>,
): () => Promise<void> {
  let ended = false;
  let wake = () => {};
  /** Waits until the time is over or `wake` is called. Nothing of it stays: this goes on for as long as the process. */
  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const cancel = systemClock.after(ms, resolve);
      wake = () => {
        cancel();
        resolve();
      };
      if (ended) wake();
    });

  async function run(): Promise<void> {
    for (let failures = 0; !ended; ) {
      const began = performance.now();
      await session().catch(() => {});
      listener.state(false);
      failures = performance.now() - began > TRIAL_EVERY ? 1 : failures + 1;
      const wait = { failures, firstMs: FIRST_PAUSE, longestMs: LONGEST_PAUSE };
      if (!ended) await pause(backOff(wait, systemRandom));
    }
  }

  /** Ends when nothing arrives any more. */
  async function session(): Promise<void> {
    const client = new pg.Client({
      connectionString: url,
      application_name: "mikey-sakke listen",
      connectionTimeoutMillis: 10_000,
      keepAlive: true,
    });
    let isOver = false;
    let expected: string | undefined;
    const broken = () => {
      if (isOver) return;
      isOver = true;
      wake();
    };
    client.on("error", broken);
    client.on("end", broken);
    client.on("notification", ({ payload = "" }) => {
      if (!payload.startsWith(TRIAL)) return listener.heard(payload);
      if (payload !== expected) return;
      expected = undefined;
      wake();
    });
    /** Returns whether a notification arrives. */
    const arrives = async (): Promise<boolean> => {
      expected = `${TRIAL}${randomUUID()}`;
      await notify(expected);
      if (expected !== undefined && !isOver) await pause(TRIAL_TAKES);
      return expected === undefined;
    };
    try {
      await client.connect();
      await client.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
      while (!ended && (await arrives())) {
        listener.state(true);
        if (!isOver) await pause(TRIAL_EVERY);
        if (isOver) return;
      }
    } finally {
      isOver = true;
      await client.end().catch(() => {});
    }
  }

  const running = run();
  return async () => {
    ended = true;
    wake();
    await running;
  };
}
