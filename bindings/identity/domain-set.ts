/**
 * The certificates of KMSs, several of one KMS: after a change of its master secrets the old one verifies what was
 * signed before, the new one what is signed after. T of a message picks among them.
 */

import { keyPeriodStart } from "./key-period.ts";
import type { KmsDomain } from "./kms-domain.ts";
import type { KeySet } from "./kms-material.ts";
import { ntpSecondsToUnixMs } from "./ntp.ts";

export class DomainSet {
  readonly #domains: KmsDomain[] = [];

  /** Adds a domain. One of the same KmsUri and CertUri is replaced (TS 33.180 5.3.5), and returned. */
  add(domain: KmsDomain): KmsDomain | undefined {
    const at = this.#domains.findIndex((other) => isSameCertificate(other, domain));
    if (at === -1) this.#domains.push(domain);
    return at === -1 ? undefined : this.#domains.splice(at, 1, domain)[0];
  }

  get all(): readonly KmsDomain[] {
    return this.#domains;
  }

  /** See `domainAt`. */
  at(kmsUri: string, unixMs?: number): KmsDomain | undefined {
    return domainAt(this.#domains, kmsUri, unixMs);
  }

  /** The domain of a key set: that of its CertUri, else the one that was valid when the keys began to be. */
  of({ kmsUri, certUri, validFrom, keyPeriodNo }: KeySet): KmsDomain | undefined {
    const named = this.#domains.find(
      ({ certificate: c }) => c.kmsUri === kmsUri && c.certUri === certUri && certUri !== undefined,
    );
    const newest = this.at(kmsUri);
    if (named !== undefined || newest === undefined) return named;
    return this.at(kmsUri, validFrom ?? ntpSecondsToUnixMs(keyPeriodStart(keyPeriodNo, newest.rule)));
  }
}

/**
 * The newest domain of a KMS (by ValidFrom, then by place in the list) that is valid at a time. Where none is valid, the
 * newest that has begun, or just the newest, also without a time: whoever uses it checks its life.
 */
export function domainAt(
  domains: readonly KmsDomain[],
  kmsUri: string,
  unixMs = Infinity,
): KmsDomain | undefined {
  const own = domains.filter((domain) => domain.kmsUri === kmsUri);
  const begun = own.filter((domain) => beginOf(domain) <= unixMs);
  return newestOf(begun.filter((domain) => domain.validAt(unixMs))) ?? newestOf(begun) ?? newestOf(own);
}

function newestOf([first, ...others]: readonly KmsDomain[]): KmsDomain | undefined {
  return others.reduce((best, domain) => (beginOf(domain) >= beginOf(best!) ? domain : best), first);
}

function beginOf({ certificate }: KmsDomain): number {
  return certificate.validFrom ?? -Infinity;
}

function isSameCertificate({ certificate: a }: KmsDomain, { certificate: b }: KmsDomain): boolean {
  return a.kmsUri === b.kmsUri && a.certUri === b.certUri;
}
