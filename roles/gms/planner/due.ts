/** When a GMK is to be replaced without being asked. */
import {
  type KeyPeriodRule,
  keyPeriodEnd,
  keyPeriodNo,
  keyPeriodStart,
} from "../../../bindings/identity/key-period.ts";
import { ntpFromUnixMs, ntpSeconds, ntpSecondsToUnixMs } from "../../../bindings/identity/ntp.ts";
import type { GmkRecord, GroupSettings } from "../../../store/gms/records.ts";
import type { GmsPolicy } from "../common/config.ts";

/** Bits of a GMK-ID without its purpose tag (TS 33.180 G.1). */
const RANDOM_BITS = 0x0fff_ffff;

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
 * At once for a GMK out of a backup: the group may have had another since. Else the first of: the group's schedule, a lead before the expiry, a lead before the end of the key period that it was made
 * in, which is not the same for all GMKs. Undefined: never.
 */
export function replaceAt(
  gmk: Pick<GmkRecord, "gmkId" | "createdAt" | "activation" | "expiry" | "restored">,
  settings: Pick<GroupSettings, "rekeyEveryMs">,
  rules: DueRules,
): number | undefined {
  if (gmk.restored) return gmk.createdAt;
  const times = [
    settings.rekeyEveryMs && gmk.createdAt + settings.rekeyEveryMs,
    beforeExpiry(gmk, rules),
    beforePeriodEnd(gmk, rules),
  ].filter((time) => time !== undefined && time !== 0);
  return times.length === 0 ? undefined : Math.min(...(times as number[]));
}

/** A lead before the expiry; undefined where there is none. */
export function beforeExpiry(
  { activation, expiry }: Pick<GmkRecord, "activation" | "expiry">,
  { policy }: DueRules,
) {
  if (expiry === undefined || policy.rekeyBeforeExpiry === 0) return undefined;
  return expiry - Math.min(policy.rekeyBeforeExpiry * 1000, (expiry - activation) / 2);
}

/** Between the lead and half of it: all groups at the same second would be more than a GMS can seal. */
function beforePeriodEnd(
  { gmkId, createdAt }: Pick<GmkRecord, "gmkId" | "createdAt">,
  { policy, periods }: DueRules,
): number | undefined {
  const longest = Math.min(policy.rekeyBeforePeriodEnd, Math.floor(periods.period / 12)) * 1000;
  if (longest === 0) return undefined;
  const lead = Math.ceil(longest * (1 - shareOf(gmkId) / 2));
  const no = keyPeriodNo(ntpSeconds(ntpFromUnixMs(createdAt)), periods);
  const due = ntpSecondsToUnixMs(keyPeriodEnd(no, periods)) - lead;
  // Made within the lead: it is as new as one made for the next period.
  return due > createdAt ? due : due + periods.period * 1000;
}

/** From 0 to 1, by the random bits of the GMK-ID: the same in all processes. */
function shareOf(gmkId: number): number {
  return (gmkId & RANDOM_BITS) / (RANDOM_BITS + 1);
}
