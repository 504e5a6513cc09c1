import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  keyPeriodEnd,
  keyPeriodNo,
  keyPeriodStart,
  keyPeriodsAround,
} from "../../../bindings/identity/key-period.ts";
import {
  ntpFold,
  ntpFromUnixMs,
  ntpSeconds,
  ntpSecondsToUnixMs,
  ntpToUnixMs,
  ntpUnfold,
} from "../../../bindings/identity/ntp.ts";

describe("NTP timestamps", () => {
  it("count from 1900", () => {
    expect(ntpFromUnixMs(0)).toBe(2208988800n << 32n);
    expect(ntpFromUnixMs(Date.parse("2014-02-23T08:39:14Z")).toString(16)).toBe("d6b4323200000000");
    expect(ntpFromUnixMs(500) & 0xffffffffn).toBe(0x80000000n);
  });

  it("go on beyond the wrap of 2036", () => {
    const wrap = Date.parse("2036-02-07T06:28:16Z");
    expect(ntpFromUnixMs(wrap - 1000)).toBe(0xffffffff00000000n);
    expect(ntpFromUnixMs(wrap)).toBe(0n);
    expect(ntpToUnixMs(0n)).toBe(wrap);
    expect(ntpSeconds(0n)).toBe(2 ** 32);
    expect(ntpUnfold(ntpFromUnixMs(wrap))).toBeGreaterThan(ntpUnfold(ntpFromUnixMs(wrap - 1)));
    expect(ntpFold(ntpUnfold(0n))).toBe(0n);
  });

  it("of 0x80000000 mean 1968 and of 0x7fffffff 2104", () => {
    expect(new Date(ntpToUnixMs(0x8000000000000000n)).getUTCFullYear()).toBe(1968);
    expect(new Date(ntpToUnixMs(0x7fffffff00000000n)).getUTCFullYear()).toBe(2104);
  });

  it("keep every millisecond", () => {
    const range = { min: Date.parse("1968-01-21T00:00:00Z"), max: Date.parse("2104-02-01T00:00:00Z") };
    fc.assert(
      fc.property(fc.integer(range), (ms) => {
        expect(ntpToUnixMs(ntpFromUnixMs(ms))).toBe(ms);
        expect(ntpFold(ntpUnfold(ntpFromUnixMs(ms)))).toBe(ntpFromUnixMs(ms));
      }),
    );
  });

  it("are refused for times that they cannot tell apart", () => {
    const outside = expect.objectContaining({ kind: "usage", code: "TIME_OUT_OF_RANGE" });
    for (const ms of [Date.parse("1960-01-01"), Date.parse("2110-01-01"), Number.NaN]) {
      expect(() => ntpFromUnixMs(ms)).toThrow(outside);
    }
  });
});

describe("key periods (TS 33.180 F.2.1)", () => {
  const month = { period: 2592000, offset: 0 };

  it("reproduce the dates of period 1388 of the F.2.1.2 example", () => {
    const date = (seconds: number) => new Date(ntpSecondsToUnixMs(seconds)).toISOString();
    expect(date(keyPeriodStart(1388, month))).toBe("2014-01-03T00:00:00.000Z");
    expect(date(keyPeriodEnd(1388, month))).toBe("2014-02-02T00:00:00.000Z");
  });

  it("subtract the offset", () => {
    expect(keyPeriodNo(100, { period: 10, offset: 5 })).toBe(9);
    expect(keyPeriodNo(105, { period: 10, offset: 5 })).toBe(10);
    expect(() => keyPeriodNo(4, { period: 10, offset: 5 })).toThrow(
      expect.objectContaining({ code: "BEFORE_FIRST_PERIOD" }),
    );
  });

  it("contain every second between their start and end", () => {
    fc.assert(
      fc.property(fc.nat(2 ** 31), fc.integer({ min: 1, max: 2 ** 25 }), fc.nat(2 ** 24), (t, period, o) => {
        const rule = { period, offset: o % period };
        const seconds = t + rule.offset;
        const n = keyPeriodNo(seconds, rule);
        expect(keyPeriodStart(n, rule)).toBeLessThanOrEqual(seconds);
        expect(keyPeriodEnd(n, rule)).toBeGreaterThan(seconds);
      }),
    );
  });

  it("have the nearer neighbour at a border", () => {
    const rule = { period: 1000, offset: 0 };
    expect(keyPeriodsAround(5500, rule, 100)).toEqual([5]);
    expect(keyPeriodsAround(5099, rule, 100)).toEqual([5, 4]);
    expect(keyPeriodsAround(5100, rule, 100)).toEqual([5]);
    expect(keyPeriodsAround(5900, rule, 100)).toEqual([5, 6]);
    expect(keyPeriodsAround(5899, rule, 100)).toEqual([5]);
    expect(keyPeriodsAround(10, rule, 100)).toEqual([0]);
  });
});
