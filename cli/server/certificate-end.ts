/** Tells the operator of certificates that clients refuse, or will soon. */
import { X509Certificate } from "node:crypto";
import type { ServerLog } from "../../roles/server/log.ts";
import type { Credentials } from "./tls.ts";

const DAY_MS = 24 * 3600 * 1000;
/** The days of the alert MikeySakkeCertificateEnds in deploy/observability. */
const SOON_DAYS = 14;

/** Warns once of each file whose certificate, as it is in use now, clients refuse or will within two weeks. */
export function warnOfCertificateEnds(
  all: readonly (Pick<Credentials, "used" | "selfSigned"> | undefined)[],
  now: number,
  log: ServerLog,
): void {
  const byFile = new Map(all.flatMap((one) => (one === undefined ? [] : [[one.used().file, one] as const])));
  for (const [certFile, { used, selfSigned }] of byFile) {
    const { validFrom, validTo } = new X509Certificate(used().cert);
    const fault = faultOf(Date.parse(validFrom), Date.parse(validTo), now);
    if (fault === undefined) continue;
    const remedy = selfSigned ? "restart the server, which makes another" : "renew it, then send SIGHUP";
    log.warn({ certFile, validFrom, validTo }, `the certificate ${fault}: ${remedy}`);
  }
}

function faultOf(from: number, to: number, now: number): string | undefined {
  if (from > now) return "is not valid yet, or the clock of this machine is wrong, so that clients refuse it";
  if (to <= now) return "has ended, so that clients refuse it";
  return to <= now + SOON_DAYS * DAY_MS ? "ends soon" : undefined;
}
