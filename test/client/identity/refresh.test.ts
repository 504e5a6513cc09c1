/** When clients come back: spread out, before the border, and through failures and clocks that jump. */
import { describe, expect, it } from "vitest";
import { MikeySakkeError } from "../../../base/errors.ts";
import { KmsRefusedError } from "../../../roles/identity/index.ts";
import { RefreshLoop } from "../../../roles/identity/refresh-loop.ts";
import { firstRefresh, longestWait, nextRefresh, nextRetry } from "../../../roles/identity/refresh-plan.ts";
import { VirtualClock } from "../../support/clock.ts";
import { seededRandom } from "../../support/random.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const PERIOD = 30 * DAY;
const CLIENTS = 10_000;
const needs = { now: 0, periodMs: PERIOD, maxAgeMs: DAY };

/** Returns how many of ten thousand clients come in the busiest minute. */
function busiestMinute(draw: (random: ReturnType<typeof seededRandom>) => number): number {
  const random = seededRandom("clients");
  const minutes = new Map<number, number>();
  for (let i = 0; i < CLIENTS; i++) {
    const minute = Math.floor(draw(random) / 60_000);
    minutes.set(minute, (minutes.get(minute) ?? 0) + 1);
  }
  return Math.max(...minutes.values());
}

describe("ten thousand clients that started together", () => {
  it("do not refresh at the same time", () => {
    expect(busiestMinute((random) => nextRefresh(needs, random))).toBeLessThan(40);
    expect(busiestMinute((random) => nextRefresh({ ...needs, missingFrom: 2 * DAY }, random))).toBeLessThan(
      200,
    );
  });

  it("do not all refresh at the same time after a power failure", () => {
    expect(busiestMinute((random) => firstRefresh(needs, -3 * DAY, random))).toBeLessThan(1300);
  });

  it("do not all refresh at the same time after an outage of the KMS", () => {
    const wait = { now: 0, failures: 10, forbidden: false };
    expect(busiestMinute((random) => nextRetry(wait, random))).toBeLessThan(600);
  });
});

describe("the refresh of a client", () => {
  const random = seededRandom("client");

  it("gets the next keys before the period ends, however late the KMS gives them out", () => {
    for (const opens of [20 * DAY, 27 * DAY]) {
      let now = 0;
      let looks = 0;
      while (now < opens) {
        now = nextRefresh({ now, periodMs: PERIOD, maxAgeMs: 365 * DAY, missingFrom: PERIOD }, random);
        looks++;
      }
      expect(now).toBeLessThan(PERIOD);
      expect(looks).toBeLessThan(30);
    }
  });

  it("checks certificates about daily, and more often in short periods", () => {
    for (let i = 0; i < 100; i++) {
      const at = nextRefresh(needs, random);
      expect(at).toBeGreaterThanOrEqual(0.75 * DAY);
      expect(at).toBeLessThanOrEqual(1.25 * DAY);
      expect(nextRefresh({ ...needs, periodMs: 60_000 }, random)).toBeLessThanOrEqual(18_750);
    }
  });

  it("waits longer after each failure, up to an hour, and as long as the KMS says", () => {
    const wait = (failures: number, more = {}) =>
      nextRetry({ now: 0, failures, forbidden: false, ...more }, () => Uint8Array.of(255, 255, 255, 255));
    expect([1, 2, 3, 20, 2000].map((n) => Math.round(wait(n)))).toEqual([5000, 10_000, 20_000, HOUR, HOUR]);
    expect(wait(1, { retryAfter: 60_000 })).toBeGreaterThan(60_000);
    expect(wait(1, { forbidden: true })).toBeGreaterThan(150_000);
  });

  it("does not believe in a last refresh in the future", () => {
    expect(firstRefresh(needs, 400 * DAY, random)).toBeLessThanOrEqual(HOUR);
  });
});

describe("the refresh loop", () => {
  function make(refresh: () => Promise<number>) {
    const clock = new VirtualClock(0);
    const failed: { error: unknown; in: number }[] = [];
    const runs: number[] = [];
    const loop = new RefreshLoop({
      now: () => clock.now(),
      random: seededRandom("loop"),
      timers: clock,
      refresh: async () => {
        runs.push(clock.now());
        return { refreshAt: await refresh(), longestWaitMs: longestWait(needs) };
      },
      failed: (error, retryAt) => failed.push({ error, in: retryAt - clock.now() }),
    });
    return { clock, loop, runs, failed };
  }

  it("refreshes when it is time, again and again, until it is stopped", async () => {
    const { clock, loop, runs } = make(async () => clock.now() + DAY);
    loop.start({ refreshAt: HOUR, longestWaitMs: longestWait(needs) });
    await clock.pass(2 * DAY + 2 * HOUR);
    expect(runs).toEqual([HOUR, HOUR + DAY, HOUR + 2 * DAY]);
    loop.stop();
    expect(clock.pending).toBe(0);
    await clock.pass(5 * DAY);
    expect(runs).toHaveLength(3);
  });

  it("goes on after failures, and heeds the KMS's Retry-After", async () => {
    const errors = [
      new MikeySakkeError("transport", "KMS_UNREACHABLE", "cut"),
      new KmsRefusedError({ status: 403, authentic: true }),
      new KmsRefusedError({ status: 503, authentic: false, retryAfter: 1_800_000 }),
    ];
    const { clock, loop, runs, failed } = make(async () => {
      const error = errors.shift();
      if (error !== undefined) throw error;
      return clock.now() + DAY;
    });
    loop.start({ refreshAt: 0, longestWaitMs: longestWait(needs) });
    await clock.pass(3 * HOUR);
    expect(runs).toHaveLength(4);
    const [first, second, third] = failed.map((failure) => failure.in);
    expect(first).toBeLessThanOrEqual(5000);
    expect(second).toBeGreaterThanOrEqual(150_000);
    expect(third).toBeGreaterThanOrEqual(1_800_000);
    loop.stop();
  });

  it("notices a clock that was set back or forward", async () => {
    const { clock, loop, runs } = make(async () => clock.now() + DAY);
    loop.start({ refreshAt: 0, longestWaitMs: longestWait(needs) });
    await clock.pass(HOUR);
    clock.set(-365 * DAY);
    await clock.pass(HOUR);
    expect(runs).toHaveLength(2);
    clock.set(700 * DAY);
    await clock.pass(HOUR);
    expect(runs).toHaveLength(3);
    loop.stop();
  });

  it("ends after a refresh during which it was stopped", async () => {
    const { clock, loop, runs } = make(async () => {
      loop.stop();
      return clock.now();
    });
    loop.start({ refreshAt: 0, longestWaitMs: longestWait(needs) });
    await clock.pass(DAY);
    expect(runs).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });
});
