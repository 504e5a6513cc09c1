/**
 * Key periods (TS 33.180 F.2.1). Identity keys live for one period; the number of the period is hashed into
 * the UID. All times are NTP seconds since 1900-01-01 with the era put back.
 */
import { MikeySakkeError } from "../../base/errors.ts";

export interface KeyPeriodRule {
  /** P3, length of a period in seconds (`UserKeyPeriod`). */
  readonly period: number;
  /** P4, offset of the first period in seconds (`UserKeyOffset`), less than the period. */
  readonly offset: number;
}

/** P5 = floor((TIME - P4) / P3). Throws a usage error before the first period. */
export function keyPeriodNo(seconds: number, rule: KeyPeriodRule): number {
  const number = Math.floor((seconds - rule.offset) / rule.period);
  if (number < 0) {
    throw new MikeySakkeError(
      "usage",
      "BEFORE_FIRST_PERIOD",
      `time ${seconds} s: before the first key period`,
    );
  }
  return number;
}

/** First second of a period. */
export function keyPeriodStart(number: number, rule: KeyPeriodRule): number {
  return rule.offset + number * rule.period;
}

/** First second after a period. */
export function keyPeriodEnd(number: number, rule: KeyPeriodRule): number {
  return keyPeriodStart(number + 1, rule);
}

/**
 * The periods whose keys may be in use at a time: its own first, then the neighbour whose border is not
 * further away than `overlap` seconds (RFC 6509 3.3: clocks differ, so both sides of a border count).
 */
export function keyPeriodsAround(seconds: number, rule: KeyPeriodRule, overlap: number): number[] {
  const own = keyPeriodNo(seconds, rule);
  const periods = [own];
  if (own > 0 && seconds - keyPeriodStart(own, rule) < overlap) periods.push(own - 1);
  if (keyPeriodEnd(own, rule) - seconds <= overlap) periods.push(own + 1);
  return periods;
}
