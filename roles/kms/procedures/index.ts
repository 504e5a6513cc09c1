/** The procedures of annex D, one for each request type. */
import { defined } from "../../../base/defined.ts";
import { servesIdentity } from "../../../bindings/identity/served-domains.ts";
import { KmsRefusal } from "../common/errors.ts";
import type { Tools } from "../common/exchange.ts";
import type { RequestType } from "../common/path.ts";
import { requestedPeriods } from "../common/periods.ts";
import { newKeysFor } from "../common/transport-keys.ts";
import { refusalOfUser } from "../common/users.ts";
import type { KeyRequest } from "../issue/key-issuer.ts";
import type { Procedure } from "./procedure.ts";

type OtherCertificates = Awaited<ReturnType<Tools["store"]["otherCertificates"]>>["certificates"];

/** KMS Initialize (TS 33.180 D.2.3): the certificate of this KMS that is valid now. */
const init: Procedure = async (exchange, tools) => {
  const certificate = tools.issuer.currentCertificate(exchange.now);
  const newKeys = await newKeysFor(exchange, tools);
  return { message: { type: "init", certificate, ...defined({ newKeys }) } };
};

/** KMS KeyProvision (TS 33.180 D.2.4): the key sets of one identity, or of all that the token proves. */
const keyprov: Procedure = async (exchange, tools) => {
  const { keyUri, userUri, permitted, now } = exchange;
  const uris = [keyUri ?? userUri];
  // Identities besides the one that asks are left out where they may have no keys.
  for (const uri of keyUri === undefined ? permitted.filter((other) => other !== userUri) : []) {
    if ((await refusalOfUser(uri, now, tools)) === undefined) uris.push(uri);
  }
  const periods = requestedPeriods(exchange, tools);
  const requests: KeyRequest[] = uris.flatMap((uri) =>
    periods.map((periodNo) => ({ userUri: uri, periodNo })),
  );
  const newKeys = await newKeysFor(exchange, tools);
  const keySets = await tools.issuer.keys(requests);
  return { message: { type: "keyprov", keySets, ...defined({ newKeys }) }, keySets };
};

/** KMS CertCache (TS 33.180 D.2.5): all certificates, of this KMS and of those its users may meet. */
const certcache: Procedure = async ({ target }, { store }) => {
  // Not those that the issuer holds: they may be older than the number.
  const { cacheNum, own, others } = await store.certificates();
  // A client that has the present cache gets its number again and no certificates.
  const current = target.cacheNum === cacheNum;
  const all = [...own, ...others.map(({ certificate }) => certificate)];
  return { message: { type: "certcache", cacheNum, certificates: current ? [] : all } };
};

/** KMS Cert (TS 33.180 D.2.6): the certificate of one KMS. */
const cert: Procedure = async ({ target, now }, { config, issuer, store }) => {
  const uris = target.uris!;
  if (uris.includes(config.kmsUri)) {
    return { message: { type: "certcache", certificates: [issuer.currentCertificate(now)] } };
  }
  const { certificates } = await store.otherCertificates();
  const found = certificates.filter(({ certificate }) => uris.includes(certificate.kmsUri));
  if (found.length === 0) throw new KmsRefusal("NO_CERTIFICATE", uris[0]);
  return { message: { type: "certcache", certificates: found.map(({ certificate }) => certificate) } };
};

/**
 * KMS Lookup (TS 33.180 D.2.7): the KMSs that a client of this one may use (5.3.1.2). Its exact form is not public; here
 * `lookup/{URI}` asks for the KMS of one user, by domain.
 */
const lookup: Procedure = async ({ target }, { config, store }) => {
  const own = { kmsUri: config.kmsUri, kmsDomains: config.domains };
  const { certificates } = await store.otherCertificates();
  const serving = [own, ...certificates.map(({ certificate }) => certificate)].filter(({ kmsDomains = [] }) =>
    (target.uris ?? []).some((uri) => servesIdentity(kmsDomains, uri)),
  );
  const kmsUris =
    serving.length > 0
      ? [...new Set(serving.map(({ kmsUri }) => kmsUri))]
      : permittedKmss(config, certificates);
  return { message: { type: "lookup", kmsUris } };
};

/** Returns this KMS, then those that the configuration or a stored certificate names. */
function permittedKmss({ kmsUri, policy }: Tools["config"], certificates: OtherCertificates): string[] {
  const stored = certificates
    .filter(({ certificate }) => certificate.revoked !== true)
    .map(({ certificate }) => certificate.kmsUri);
  return [...new Set([kmsUri, ...policy.migrationKms, ...policy.externalKms, ...stored])];
}

/**
 * KMS Upload of redirect responses (TS 33.180 D.2.8): of the KMSs that they propose, those that the client may use. Who
 * signed a redirect response does not matter for that: it proposes, the operator permits.
 */
const redirect: Procedure = async ({ request }, { config, store }) => {
  const proposed = request?.krrKmsUris ?? [];
  if (proposed.length === 0) throw new KmsRefusal("KRR_MISSING");
  const { certificates } = await store.otherCertificates();
  const permitted = permittedKmss(config, certificates);
  const kmsUris = proposed.filter((uri) => permitted.includes(uri));
  if (kmsUris.length === 0) throw new KmsRefusal("KMS_NOT_ALLOWED", proposed.join(" "));
  return { message: { type: "lookup", kmsUris } };
};

export const PROCEDURES: Record<RequestType, Procedure> = {
  init,
  keyprov,
  certcache,
  cert,
  lookup,
  redirect,
};
