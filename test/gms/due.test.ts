import { describe, expect, it } from "vitest";
import { periodStartMs, replaceAt } from "../../roles/gms/planner/due.ts";
import { NOW, PERIOD_SECONDS, periodEnd } from "./memory-gms.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const END = periodEnd(NOW);

describe("the time at which a GMK is replaced", () => {
  const rules = {
    policy: { rekeyBeforePeriodEnd: 86400, rekeyBeforeExpiry: 3600 },
    periods: { period: PERIOD_SECONDS, offset: 0 },
  };
  /** Due as early as any. */
  const gmk = { gmkId: 0, createdAt: NOW, activation: NOW, expiry: undefined };

  it("is the first of schedule, lead before the expiry and lead before the end of the period", () => {
    expect(replaceAt(gmk, {}, rules)).toBe(END - DAY_MS);
    expect(replaceAt(gmk, { rekeyEveryMs: HOUR_MS }, rules)).toBe(NOW + HOUR_MS);
    const expiring = { ...gmk, expiry: NOW + 5 * HOUR_MS };
    expect(replaceAt(expiring, {}, rules)).toBe(NOW + 4 * HOUR_MS);
    // Half the life at most.
    expect(replaceAt({ ...gmk, expiry: NOW + HOUR_MS }, {}, rules)).toBe(NOW + HOUR_MS / 2);
  });

  it("differs among GMKs before the end of a period, and is the same in all processes", () => {
    const times = Array.from({ length: 100 }, (_, i) =>
      replaceAt({ ...gmk, gmkId: Math.floor((i * 2 ** 28) / 100) }, {}, rules),
    ) as number[];
    expect(new Set(times).size).toBe(100);
    expect(Math.min(...times)).toBe(END - DAY_MS);
    expect(Math.max(...times)).toBeLessThan(END - DAY_MS / 2);
  });

  it("is not in this period for a GMK made within the lead of its end", () => {
    expect(replaceAt({ ...gmk, createdAt: END - 1 }, {}, rules)).toBe(END - DAY_MS + PERIOD_SECONDS * 1000);
  });

  it("is never where nothing requires it", () => {
    const policy = { rekeyBeforePeriodEnd: 0, rekeyBeforeExpiry: 0 };
    expect(replaceAt({ ...gmk, expiry: NOW + 1000 }, {}, { ...rules, policy })).toBeUndefined();
  });

  it("has a lead of at most a twelfth of a short period", () => {
    const periods = { period: 1200, offset: 0 };
    const end = periodStartMs(NOW, periods) + 1_200_000;
    const due = replaceAt({ ...gmk, createdAt: end - 1_000_000 }, {}, { ...rules, periods });
    expect(due).toBe(end - 100_000);
  });
});
