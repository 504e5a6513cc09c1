/** The sending side: one identity (GMS, user or MCX server) with its signing keys, one per key period. */
import { refusal } from "../checks.ts";
import { EccsiSigner } from "../eccsi.ts";
import { MikeySakkeError } from "../errors.ts";
import type { KeySet } from "../kms-material.ts";
import { checkKeySet } from "./key-set.ts";
import type { KmsDomain } from "./kms-domain.ts";
import { type NtpTime, ntpFold, ntpFromUnixMs, ntpSeconds, ntpUnfold } from "./ntp.ts";

export interface SigningKey {
  readonly uid: Uint8Array;
  readonly signer: EccsiSigner;
}

export class Initiator {
  readonly uri: string;
  readonly domain: KmsDomain;
  readonly #keys = new Map<number, SigningKey>();
  #last = 0n;

  private constructor(uri: string, domain: KmsDomain) {
    this.uri = uri;
    this.domain = domain;
  }

  /** Key sets of one identity of `domain`, at least one. Checks 73 to 75 and 77. */
  static load(domain: KmsDomain, keySets: readonly KeySet[]): Initiator {
    const uri = keySets[0]?.userUri;
    if (uri === undefined || keySets.some((k) => k.userUri !== uri)) {
      throw new MikeySakkeError(
        "usage",
        "ONE_IDENTITY",
        "an initiator needs the key sets of exactly one identity",
      );
    }
    const initiator = new Initiator(uri, domain);
    try {
      for (const keySet of keySets) initiator.add(keySet);
    } catch (error) {
      initiator.destroy();
      throw error;
    }
    return initiator;
  }

  /** Adds the keys of a further period. */
  add(keySet: KeySet): void {
    if (keySet.userUri !== this.uri) {
      throw new MikeySakkeError("usage", "ONE_IDENTITY", `key set of ${keySet.userUri}, not of ${this.uri}`);
    }
    checkKeySet(this.domain, keySet);
    const signer = loadSigner(this.domain, keySet);
    this.#keys.get(keySet.keyPeriodNo)?.signer.destroy();
    this.#keys.set(keySet.keyPeriodNo, { uid: new Uint8Array(keySet.uid), signer });
  }

  /** Signing key for the period of a message's T. Throws a usage error when there is none. */
  keyAt(time: NtpTime): SigningKey {
    const periodNo = this.domain.keyPeriodNo(ntpSeconds(time));
    const key = this.#keys.get(periodNo);
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

function loadSigner(domain: KmsDomain, keySet: KeySet): EccsiSigner {
  try {
    return EccsiSigner.load(domain.authentication, keySet.uid, keySet.ssk, keySet.pvt);
  } catch (cause) {
    if (!(cause instanceof MikeySakkeError)) throw cause;
    throw refusal("SSK_INVALID", `SSK of ${keySet.userUri}: ${cause.message}`, { cause });
  }
}
