/** Finds which key periods a KeyProvision request is for (TS 33.180 D.2.4), and whether policy allows them. */
import { keyPeriodEnd, keyPeriodNo } from "../../../bindings/identity/key-period.ts";
import { ntpFromUnixMs, ntpSeconds, ntpSecondsToUnixMs } from "../../../bindings/identity/ntp.ts";
import type { KmsConfig } from "./config.ts";
import { KmsRefusal } from "./errors.ts";
import type { Exchange, Tools } from "./exchange.ts";

/**
 * With a time, the period of that time. Without, the present one and those that begin soon: a client must have the
 * next keys before the border.
 */
export function requestedPeriods({ target, now }: Exchange, { issuer, config }: Tools): number[] {
  const { periodsAhead, periodsBack, provisionNextWithin } = config.policy;
  const { userKeyPeriod: period, userKeyOffset: offset } = issuer.currentCertificate(now);
  const rule = { period, offset };
  const seconds = ntpSeconds(ntpFromUnixMs(now));
  const present = keyPeriodNo(seconds, rule);
  if (target.seconds !== undefined) {
    const wanted = Math.floor((target.seconds - offset) / period);
    if (wanted < Math.max(0, present - periodsBack) || wanted > present + periodsAhead) {
      throw new KmsRefusal("PERIOD_NOT_ALLOWED", `period ${wanted}, present ${present}`);
    }
    return [wanted];
  }
  const soon = keyPeriodNo(seconds + (provisionNextWithin ?? period), rule);
  const last = Math.min(soon, present + periodsAhead);
  return Array.from({ length: last - present + 1 }, (_, i) => present + i);
}

/** End of the key period of a time; both are milliseconds since the Unix epoch. */
export function periodEnd(
  { userKeyPeriod: period, userKeyOffset: offset }: Pick<KmsConfig, "userKeyPeriod" | "userKeyOffset">,
  now: number,
): number {
  const rule = { period, offset };
  return ntpSecondsToUnixMs(keyPeriodEnd(keyPeriodNo(ntpSeconds(ntpFromUnixMs(now)), rule), rule));
}
