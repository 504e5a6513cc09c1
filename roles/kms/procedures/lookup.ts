/**
 * KMS Lookup (TS 33.180 D.2.7): the KMSs that a client of this one may use (5.3.1.2). Its exact form is not public; here
 * `lookup/{URI}` asks for the KMS of one user, by domain.
 */
import { servesIdentity } from "../../../bindings/identity/served-domains.ts";
import type { Tools } from "../common/exchange.ts";
import type { Procedure } from "./procedure.ts";

export const lookup: Procedure = async ({ target }, tools) => {
  const all = await permittedKmss(tools);
  const own = { kmsUri: tools.config.kmsUri, kmsDomains: tools.config.domains };
  const { certificates } = await tools.store.otherCertificates();
  const serving = [own, ...certificates.map(({ certificate }) => certificate)].filter(({ kmsDomains = [] }) =>
    (target.uris ?? []).some((uri) => servesIdentity(kmsDomains, uri)),
  );
  const kmsUris = serving.length > 0 ? [...new Set(serving.map(({ kmsUri }) => kmsUri))] : all;
  return { message: { type: "lookup", kmsUris } };
};

/** This KMS, then those that the configuration or a stored certificate names. */
export async function permittedKmss({ config, store }: Pick<Tools, "config" | "store">): Promise<string[]> {
  const { kmsUri, policy } = config;
  const { certificates } = await store.otherCertificates();
  const stored = certificates
    .filter(({ certificate }) => certificate.revoked !== true)
    .map(({ certificate }) => certificate.kmsUri);
  return [...new Set([kmsUri, ...policy.migrationKms, ...policy.externalKms, ...stored])];
}
