/** The sending side: one identity (GMS, user or MCX server) with its signing keys, one per key period. */
import { refusal } from "../../base/checks.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import { EccsiSigner } from "../eccsi/index.ts";
import { DomainSet } from "./domain-set.ts";
import { keyPeriodEnd } from "./key-period.ts";
import { checkKeySet } from "./key-set.ts";
import type { KmsDomain } from "./kms-domain.ts";
import type { KeySet } from "./kms-material.ts";
import {
  type NtpTime,
  ntpFold,
  ntpFromUnixMs,
  ntpSeconds,
  ntpSecondsToUnixMs,
  ntpToUnixMs,
  ntpUnfold,
} from "./ntp.ts";

export interface SigningKey {
  readonly uid: Uint8Array;
  readonly signer: EccsiSigner;
  /** Domain of the certificate to which the key belongs. */
  readonly domain: KmsDomain;
}

export class Initiator {
  readonly uri: string;
  readonly kmsUri: string;
  readonly #domains = new DomainSet();
  readonly #keys = new Map<string, SigningKey>();
  #last = 0n;

  private constructor(uri: string, kmsUri: string) {
    this.uri = uri;
    this.kmsUri = kmsUri;
  }

  /**
   * Key sets of one identity of one KMS, at least one, with the certificate of that KMS, or those it has one after the
   * other. Checks 73 to 75 and 77.
   */
  static load(domains: KmsDomain | readonly KmsDomain[], keySets: readonly KeySet[]): Initiator {
    const [first, ...others] = Array.isArray(domains) ? (domains as KmsDomain[]) : [domains as KmsDomain];
    if (first === undefined) throw oneKms("an initiator needs a certificate of its KMS");
    const uri = keySets[0]?.userUri;
    if (uri === undefined || keySets.some((k) => k.userUri !== uri)) {
      throw new MikeySakkeError(
        "usage",
        "ONE_IDENTITY",
        "an initiator needs the key sets of exactly one identity",
      );
    }
    const initiator = new Initiator(uri, first.kmsUri);
    try {
      for (const domain of [first, ...others]) initiator.addDomain(domain);
      for (const keySet of keySets) initiator.add(keySet);
    } catch (error) {
      initiator.destroy();
      throw error;
    }
    return initiator;
  }

  /** The newest of the KMS's certificates. */
  get domain(): KmsDomain {
    return this.#domains.at(this.kmsUri)!;
  }

  /** All certificates of the KMS that were added. */
  get domains(): readonly KmsDomain[] {
    return this.#domains.all;
  }

  /** Adds a certificate of the KMS, or replaces the one of the same CertUri. The caller keeps and destroys it. */
  addDomain(domain: KmsDomain): void {
    if (domain.kmsUri !== this.kmsUri) throw oneKms(`certificate of ${domain.kmsUri}, not of ${this.kmsUri}`);
    this.#domains.add(domain);
  }

  /** Adds the keys of a further period. */
  add(keySet: KeySet): void {
    if (keySet.userUri !== this.uri) {
      throw new MikeySakkeError("usage", "ONE_IDENTITY", `key set of ${keySet.userUri}, not of ${this.uri}`);
    }
    const domain = this.#domains.of(keySet) ?? this.domain;
    checkKeySet(domain, keySet);
    const signer = loadSigner(domain, keySet);
    const index = indexOf(domain, keySet.keyPeriodNo);
    this.#keys.get(index)?.signer.destroy();
    this.#keys.set(index, { uid: new Uint8Array(keySet.uid), signer, domain });
  }

  /** Signing key for the period of a message's T, under the certificate valid at T. Usage error when there is none. */
  keyAt(time: NtpTime): SigningKey {
    const domain = this.#domains.at(this.kmsUri, ntpToUnixMs(time))!;
    const periodNo = domain.keyPeriodNo(ntpSeconds(time));
    const key = this.#keys.get(indexOf(domain, periodNo));
    if (key === undefined) {
      throw new MikeySakkeError(
        "usage",
        "NO_SIGNING_KEY",
        `${this.uri}: no signing key for key period ${periodNo}`,
      );
    }
    return key;
  }

  /**
   * Returns when the key period of a time ends (`period`), and when the last one ends of the row of periods from it for
   * which there are keys (`keys`; undefined where those of the time itself are missing), in milliseconds since the Unix
   * epoch.
   */
  endsAt(unixMs: number): { readonly period: number; readonly keys: number | undefined } {
    const periodAt = (ms: number) => {
      const domain = this.#domains.at(this.kmsUri, ms)!;
      const number = domain.keyPeriodNo(ntpSeconds(ntpFromUnixMs(ms)));
      const end = ntpSecondsToUnixMs(keyPeriodEnd(number, domain.rule));
      return { end, isHeld: this.#keys.has(indexOf(domain, number)) };
    };
    let at = periodAt(unixMs);
    const period = at.end;
    let keys: number | undefined;
    for (; at.isHeld; at = periodAt(at.end)) keys = at.end;
    return { period, keys };
  }

  /**
   * First of `count` timestamps, one 2^-32 s apart, none of which this object has given out before: every
   * message of one initiator needs a T of its own (RFC 3830 5.2). They never go back, also when the clock does,
   * and all of one call lie in one second, hence in one key period.
   */
  reserveTimes(nowMs: number, count: number): NtpTime {
    let first = ntpUnfold(ntpFromUnixMs(nowMs));
    if (first <= this.#last) first = this.#last + 1n;
    const last = first + BigInt(Math.max(count, 1) - 1);
    if (first >> 32n !== last >> 32n) first = (last >> 32n) << 32n;
    this.#last = first + BigInt(Math.max(count, 1) - 1);
    return ntpFold(first);
  }

  destroy(): void {
    for (const { signer } of this.#keys.values()) signer.destroy();
    this.#keys.clear();
  }
}

function indexOf({ certificate }: KmsDomain, periodNo: number): string {
  return `${periodNo} ${certificate.certUri ?? ""}`;
}

function oneKms(text: string): MikeySakkeError {
  return new MikeySakkeError("usage", "ONE_KMS", text);
}

function loadSigner(domain: KmsDomain, keySet: KeySet): EccsiSigner {
  try {
    return EccsiSigner.load(domain.authentication, keySet.uid, keySet.ssk, keySet.pvt);
  } catch (cause) {
    if (!(cause instanceof MikeySakkeError)) throw cause;
    throw refusal("SSK_INVALID", `SSK of ${keySet.userUri}: ${cause.message}`, { cause });
  }
}
