/** Takes over the certificates that a KMS sends (TS 33.180 5.3.4, 5.3.5). */
import { toHex } from "../../base/bytes.ts";
import { defined } from "../../base/defined.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import type { Core } from "../../bindings/core/core.ts";
import { KmsDomain } from "../../bindings/identity/kms-domain.ts";
import type { KmsCertificate } from "../../bindings/identity/kms-material.ts";
import type { KeyStore, StoredCertificate } from "./key-store.ts";
import type { KmsTrust } from "./trust.ts";

export interface CertificateChange {
  readonly change: "added" | "replaced" | "removed" | "refused";
  readonly certificate: KmsCertificate;
  /** Why it was refused. */
  readonly error?: MikeySakkeError;
}

export interface CertificateTools {
  readonly core: Core;
  readonly store: KeyStore;
  readonly trust: KmsTrust;
  /** KmsUri of the KMS that sends. */
  readonly from: string;
}

/**
 * The certificate of an init answer.
 *
 * @throws {MikeySakkeError} validation `KMS_ANSWER_KMS`, `KMS_CERTIFICATE_NOT_VALID`
 */
export function requireOwn(certificate: KmsCertificate, from: string, now: number): void {
  const { kmsUri, revoked, validFrom = -Infinity, validTo = Infinity } = certificate;
  if (kmsUri !== from) {
    throw new MikeySakkeError("validation", "KMS_ANSWER_KMS", `KMS ${from} sent a certificate of ${kmsUri}`);
  }
  if (revoked !== true && validFrom <= now && now <= validTo) return;
  const text = `the certificate of KMS ${from} is ${revoked === true ? "revoked" : "not valid now"}`;
  throw new MikeySakkeError("validation", "KMS_CERTIFICATE_NOT_VALID", text);
}

/**
 * Stores what is new. A certificate of the KMS itself that fails its checks is an error; one of another KMS is passed
 * over, as it must not cost the keys of this one.
 */
export async function takeCertificates(
  certificates: readonly KmsCertificate[],
  tools: CertificateTools,
): Promise<CertificateChange[]> {
  const { core, store, trust, from } = tools;
  const changes: CertificateChange[] = [];
  const stored = new Map((await store.certificates()).map((known) => [indexOf(known.certificate), known]));
  for (const sent of certificates) {
    const certificate = limitedByHome(sent, [...stored.values()], tools);
    const { kmsUri } = certificate;
    if (trust.kindOf(kmsUri) === undefined || !trust.mayCertify(from, kmsUri)) continue;
    const known = stored.get(indexOf(certificate));
    if (known !== undefined && known.from === from && isSame(known.certificate, certificate)) continue;
    // What a KMS says of itself goes before what the Home KMS says of it, but for a revocation.
    const own = from === kmsUri;
    if (known?.from === kmsUri && !own && certificate.revoked !== true) {
      await changeDomains(known, certificate, store);
      continue;
    }
    if (known !== undefined && known.from !== kmsUri && own && known.certificate.revoked === true) continue;
    try {
      KmsDomain.load(core, certificate).destroy();
    } catch (error) {
      if (kmsUri === from || !(error instanceof MikeySakkeError)) throw error;
      changes.push({ change: "refused", certificate, error });
      continue;
    }
    await store.putCertificate(certificate, from);
    stored.set(indexOf(certificate), { certificate, from });
    changes.push({ change: known === undefined ? "added" : "replaced", certificate });
  }
  return changes;
}

/**
 * Whom a KMS may vouch for is what the Home KMS says of it: what another KMS lists of itself does not count. The list
 * goes over to its later certificates.
 */
function limitedByHome(
  { kmsDomains, ...certificate }: KmsCertificate,
  stored: readonly StoredCertificate[],
  { trust, from }: CertificateTools,
): KmsCertificate {
  const isHomes = from === trust.home;
  const known = stored.filter((other) => other.certificate.kmsUri === certificate.kmsUri);
  const domains = isHomes ? kmsDomains : known.at(-1)?.certificate.kmsDomains;
  return { ...certificate, ...defined({ kmsDomains: domains }) };
}

async function changeDomains(
  { certificate: { kmsDomains: _before, ...certificate }, from }: StoredCertificate,
  { kmsDomains }: KmsCertificate,
  store: KeyStore,
): Promise<void> {
  await store.putCertificate({ ...certificate, ...defined({ kmsDomains }) }, from);
}

/** Deletes the certificates of KMSs that may no longer be used. */
export async function dropCertificates({ store, trust }: CertificateTools): Promise<CertificateChange[]> {
  const changes: CertificateChange[] = [];
  for (const { certificate } of await store.certificates()) {
    if (trust.kindOf(certificate.kmsUri) !== undefined) continue;
    await store.deleteCertificate(certificate);
    changes.push({ change: "removed", certificate });
  }
  return changes;
}

function indexOf({ kmsUri, certUri }: KmsCertificate): string {
  return JSON.stringify([kmsUri, certUri]);
}

function isSame(a: KmsCertificate, b: KmsCertificate): boolean {
  return textOf(a) === textOf(b);
}

function textOf({ pubEncKey, pubAuthKey, ...facts }: KmsCertificate): string {
  const sorted = Object.entries(facts).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([sorted, toHex(pubEncKey), toHex(pubAuthKey)]);
}
