/** Takes over the key sets that a KMS sends, after the checks of RFC 6508 6.1.2 and RFC 6507 5.1.2. */

import { wipe } from "../../base/bytes.ts";
import { type ErrorCode, MikeySakkeError } from "../../base/errors.ts";
import { DomainSet } from "../../bindings/identity/domain-set.ts";
import { Initiator } from "../../bindings/identity/initiator.ts";
import { keyPeriodEnd, keyPeriodStart } from "../../bindings/identity/key-period.ts";
import type { KmsDomain } from "../../bindings/identity/kms-domain.ts";
import type { KeySet } from "../../bindings/identity/kms-material.ts";
import { ntpFromUnixMs, ntpSeconds, ntpSecondsToUnixMs } from "../../bindings/identity/ntp.ts";
import { Receiver } from "../../bindings/identity/receiver.ts";
import { type KmsKeySet, withUid } from "../../documents/kms-xml/index.ts";
import type { KeyStore } from "./key-store.ts";

/** A key period and the certificate whose keys are used in it. */
export interface WantedPeriod {
  readonly domain: KmsDomain;
  readonly periodNo: number;
  /** From when on its keys are needed, in milliseconds since the Unix epoch, as the others. */
  readonly from: number;
  readonly start: number;
  readonly end: number;
}

/**
 * The present key period, then what comes until the next one has begun: a certificate may begin in between. Each under
 * the certificate that is valid then, without those for which none is known yet.
 *
 * @throws {MikeySakkeError} validation `KMS_CERTIFICATE_NOT_VALID` for the present
 */
export function wantedPeriods(
  domains: readonly KmsDomain[],
  kmsUri: string,
  now: number,
): [WantedPeriod, ...WantedPeriod[]] {
  const set = setOf(domains);
  const present = periodAt(set, kmsUri, now);
  if (present === undefined) {
    const text = `no certificate of KMS ${kmsUri} is valid now`;
    throw new MikeySakkeError("validation", "KMS_CERTIFICATE_NOT_VALID", text);
  }
  const begins = domains.flatMap(({ kmsUri: uri, certificate: { validFrom = 0 } }) =>
    uri === kmsUri && validFrom > now && validFrom < present.end ? [validFrom] : [],
  );
  const later = [...begins.sort((a, b) => a - b), present.end].flatMap(
    (at) => periodAt(set, kmsUri, at) ?? [],
  );
  return [present, ...later];
}

function periodAt(set: DomainSet, kmsUri: string, from: number): WantedPeriod | undefined {
  const domain = set.at(kmsUri, from);
  if (domain === undefined || !domain.validAt(from)) return undefined;
  const periodNo = domain.keyPeriodNo(ntpSeconds(ntpFromUnixMs(from)));
  const start = ntpSecondsToUnixMs(keyPeriodStart(periodNo, domain.rule));
  return { domain, periodNo, from, start, end: ntpSecondsToUnixMs(keyPeriodEnd(periodNo, domain.rule)) };
}

/** The periods of which there is no key set under the certificate that is used then. */
export function missingIn(
  held: readonly KeySet[],
  wanted: readonly WantedPeriod[],
  domains: readonly KmsDomain[],
): WantedPeriod[] {
  const set = setOf(domains);
  return wanted.filter(
    ({ domain, periodNo }) => !held.some((k) => k.keyPeriodNo === periodNo && set.of(k) === domain),
  );
}

/**
 * Checks the key sets that were asked for one identity and stores those of the wanted periods, all or none. Others that
 * come along are of no use now: not stored, not an error.
 *
 * @throws {MikeySakkeError} validation: `KMS_ANSWER_USER`, `KMS_ANSWER_PERIOD` and checks 73 to 77
 */
export async function takeKeySets(
  received: readonly KmsKeySet[],
  userUri: string,
  wanted: readonly WantedPeriod[],
  domains: readonly KmsDomain[],
  store: KeyStore,
): Promise<KeySet[]> {
  const taken: KeySet[] = [];
  for (const keySet of received) {
    if (keySet.userUri !== userUri) {
      throw unfit("KMS_ANSWER_USER", `keys of ${keySet.userUri}, asked for those of ${userUri}`);
    }
    const periods = wanted.filter(({ periodNo }) => periodNo === keySet.keyPeriodNo);
    const period = periods.find(({ domain }) => domain.certificate.certUri === keySet.certUri) ?? periods[0];
    if (period === undefined) continue;
    requireLife(keySet, period);
    const full = withUid(keySet, period.domain.certificate);
    verifyKeySet(full, domains);
    taken.push(full);
  }
  for (const keySet of taken) await store.putKeySet(keySet);
  return taken;
}

/** Checks 73 to 77. */
export function verifyKeySet(keySet: KeySet, domains: readonly KmsDomain[]): void {
  const own = domains.filter(({ kmsUri }) => kmsUri === keySet.kmsUri);
  Receiver.load(own, [keySet]).destroy();
  Initiator.load(own, [keySet]).destroy();
}

/** Key sets in the store that pass their checks. Those that do not, after a certificate was replaced, are deleted. */
export async function heldKeySets(
  userUri: string,
  kmsUri: string,
  domains: readonly KmsDomain[],
  store: KeyStore,
): Promise<KeySet[]> {
  const held: KeySet[] = [];
  for (const keySet of await store.keySets(userUri, kmsUri)) {
    try {
      verifyKeySet(keySet, domains);
      held.push(keySet);
    } catch (error) {
      wipe(keySet.rsk, keySet.ssk);
      if (!(error instanceof MikeySakkeError) || error.kind !== "validation") throw error;
      await store.deleteKeySet(keySet);
    }
  }
  return held;
}

/**
 * Deletes the keys of periods that ended more than `keep` - 1 periods before the present one, and takes them out of
 * `held`. Their end is the means of revocation (RFC 6509 3.3).
 */
export async function dropKeySets(
  held: KeySet[],
  present: WantedPeriod,
  keep: number,
  domains: readonly KmsDomain[],
  store: KeyStore,
): Promise<KeySet[]> {
  const set = setOf(domains);
  const limit = present.start - (keep - 1) * (present.end - present.start);
  const isPast = (keySet: KeySet) => {
    const { rule } = set.of(keySet) ?? present.domain;
    return ntpSecondsToUnixMs(keyPeriodEnd(keySet.keyPeriodNo, rule)) < limit;
  };
  const past = held.filter(isPast);
  for (const keySet of past) {
    await store.deleteKeySet(keySet);
    held.splice(held.indexOf(keySet), 1);
  }
  wipeKeySets(past);
  return past;
}

export function wipeKeySets(keySets: readonly KeySet[]): void {
  for (const { rsk, ssk } of keySets) wipe(rsk, ssk);
}

/** ValidFrom and ValidTo say the same as KeyPeriodNo, or one of them is wrong. */
function requireLife(
  { userUri, keyPeriodNo, validFrom, validTo }: KmsKeySet,
  { start, end }: WantedPeriod,
): void {
  if ((validFrom ?? start) < end && (validTo ?? end) > start) return;
  throw unfit("KMS_ANSWER_PERIOD", `keys of ${userUri} whose life is not that of key period ${keyPeriodNo}`);
}

function unfit(code: ErrorCode, text: string): MikeySakkeError {
  return new MikeySakkeError("validation", code, `the KMS sent ${text}`);
}

function setOf(domains: readonly KmsDomain[]): DomainSet {
  const set = new DomainSet();
  for (const domain of domains) set.add(domain);
  return set;
}
