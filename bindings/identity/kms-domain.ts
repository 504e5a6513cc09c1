/**
 * One security domain, made ready for use: a KMS certificate that has been checked, with the public keys in
 * the prepared form that SAKKE and ECCSI work on (TS 33.180 5.2.1, D.3.2).
 */
import { refusal } from "../../base/checks.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import type { Core } from "../core/core.ts";
import { EccsiPublicKey } from "../eccsi/index.ts";
import { SakkePublicKey } from "../sakke/index.ts";
import { type KeyPeriodRule, keyPeriodNo } from "./key-period.ts";
import type { KmsCertificate } from "./kms-material.ts";
import { servesIdentity } from "./served-domains.ts";
import { computeUid } from "./uid.ts";

/** UserIdFormat of the hashed UID of F.2.1. */
const HASHED_UID = "2";

export class KmsDomain {
  readonly certificate: KmsCertificate;
  readonly rule: KeyPeriodRule;
  /** Z_T: keys are encapsulated to the identities of this domain with it. */
  readonly encryption: SakkePublicKey;
  /** KPAK: signatures of the identities of this domain are verified with it. */
  readonly authentication: EccsiPublicKey;

  private constructor(
    certificate: KmsCertificate,
    encryption: SakkePublicKey,
    authentication: EccsiPublicKey,
  ) {
    this.certificate = certificate;
    this.rule = { period: certificate.userKeyPeriod, offset: certificate.userKeyOffset };
    this.encryption = encryption;
    this.authentication = authentication;
  }

  /** Checks 70 to 72. The certificate's own signature, if it has one, must be checked by the caller that fetched it. */
  static load(core: Core, certificate: KmsCertificate): KmsDomain {
    checkCertificate(certificate);
    const encryption = attempt("BAD_PUBLIC_ENCRYPTION_KEY", "PubEncKey", () =>
      SakkePublicKey.load(core, certificate.pubEncKey),
    );
    try {
      const authentication = attempt("BAD_PUBLIC_AUTHENTICATION_KEY", "PubAuthKey", () =>
        EccsiPublicKey.load(core, certificate.pubAuthKey),
      );
      return new KmsDomain(certificate, encryption, authentication);
    } catch (error) {
      encryption.destroy();
      throw error;
    }
  }

  get kmsUri(): string {
    return this.certificate.kmsUri;
  }

  /** Key period number at a time in NTP seconds. */
  keyPeriodNo(seconds: number): number {
    return keyPeriodNo(seconds, this.rule);
  }

  /** UID of an identity of this domain (F.2.1). */
  uid(uri: string, periodNo: number): Uint8Array {
    return computeUid({ uri, kmsUri: this.kmsUri, keyPeriodNo: periodNo, ...this.rule });
  }

  /** Returns whether the certificate is not revoked and `unixMs` lies in its life. */
  validAt(unixMs: number): boolean {
    const { revoked, validFrom, validTo } = this.certificate;
    return revoked !== true && (validFrom ?? -Infinity) <= unixMs && unixMs <= (validTo ?? Infinity);
  }

  /** Returns whether the KMS may vouch for an identity: any, unless its certificate lists the domains that it serves. */
  vouchesFor(uri: string): boolean {
    const { kmsDomains } = this.certificate;
    return kmsDomains === undefined || servesIdentity(kmsDomains, uri);
  }

  destroy(): void {
    this.encryption.destroy();
    this.authentication.destroy();
  }
}

function checkCertificate(c: KmsCertificate): void {
  const fail = (text: string) => refusal("BAD_KMS_CERTIFICATE", `KMS certificate of ${c.kmsUri}: ${text}`);
  if (c.kmsUri === "") throw fail("KmsUri is empty");
  if (c.userIdFormat !== HASHED_UID) throw fail(`UserIdFormat ${c.userIdFormat}, only 2 (F.2.1) is known`);
  if ((c.parameterSet ?? 1) !== 1) throw fail(`ParameterSet ${c.parameterSet}, only 1 is known`);
  if (!Number.isSafeInteger(c.userKeyPeriod) || c.userKeyPeriod < 1)
    throw fail(`UserKeyPeriod ${c.userKeyPeriod}`);
  const offset = c.userKeyOffset;
  if (!Number.isSafeInteger(offset) || offset < 0 || offset >= c.userKeyPeriod) {
    throw fail(`UserKeyOffset ${offset}, must be less than the period`);
  }
}

function attempt<T>(
  code: "BAD_PUBLIC_ENCRYPTION_KEY" | "BAD_PUBLIC_AUTHENTICATION_KEY",
  name: string,
  load: () => T,
): T {
  try {
    return load();
  } catch (cause) {
    if (!(cause instanceof MikeySakkeError)) throw cause;
    throw refusal(code, `${name}: ${cause.message}`, { cause });
  }
}
