/** When a GMK is to be replaced without being asked. */
import {
  type KeyPeriodRule,
  keyPeriodEnd,
  keyPeriodNo,
  keyPeriodStart,
} from "../../../bindings/identity/key-period.ts";
import { ntpFromUnixMs, ntpSeconds, ntpSecondsToUnixMs } from "../../../bindings/identity/ntp.ts";
import type { GmkRecord, GroupSettings } from "../../../store/gms/records.ts";
import type { GmsPolicy } from "../config.ts";

export interface DueRules {
  readonly policy: Pick<GmsPolicy, "rekeyBeforePeriodEnd" | "rekeyBeforeExpiry">;
  /** Key periods of the GMS's KMS. */
  readonly periods: KeyPeriodRule;
}

/** First millisecond of the key period that a time lies in. */
export function periodStartMs(now: number, rule: KeyPeriodRule): number {
  return ntpSecondsToUnixMs(keyPeriodStart(keyPeriodNo(ntpSeconds(ntpFromUnixMs(now)), rule), rule));
}

/**
 * The first of: the group's schedule, a lead before the expiry, a lead before the end of the key period that it was made
 * in. Undefined: never.
 */
export function replaceAt(
  gmk: Pick<GmkRecord, "createdAt" | "activation" | "expiry">,
  settings: Pick<GroupSettings, "rekeyEveryMs">,
  rules: DueRules,
): number | undefined {
  const times = [
    settings.rekeyEveryMs && gmk.createdAt + settings.rekeyEveryMs,
    beforeExpiry(gmk, rules),
    beforePeriodEnd(gmk.createdAt, rules),
  ].filter((time) => time !== undefined && time !== 0);
  return times.length === 0 ? undefined : Math.min(...(times as number[]));
}

function beforeExpiry(
  { activation, expiry }: Pick<GmkRecord, "activation" | "expiry">,
  { policy }: DueRules,
) {
  if (expiry === undefined || policy.rekeyBeforeExpiry === 0) return undefined;
  return expiry - Math.min(policy.rekeyBeforeExpiry * 1000, (expiry - activation) / 2);
}

function beforePeriodEnd(createdAt: number, { policy, periods }: DueRules): number | undefined {
  const lead = Math.min(policy.rekeyBeforePeriodEnd, Math.floor(periods.period / 12)) * 1000;
  if (lead === 0) return undefined;
  const no = keyPeriodNo(ntpSeconds(ntpFromUnixMs(createdAt)), periods);
  const due = ntpSecondsToUnixMs(keyPeriodEnd(no, periods)) - lead;
  // Made within the lead: it is as new as one made for the next period.
  return due > createdAt ? due : due + periods.period * 1000;
}
