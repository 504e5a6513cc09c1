/**
 * KMS Lookup (TS 33.180 D.2.7): the KMSs that a client of this one may use (5.3.1.2). Its exact form is not public; here
 * `lookup/{URI}` asks for the KMS of one user, by domain.
 */
import type { KmsCertificate } from "../../../bindings/kms-material.ts";
import type { Tools } from "../exchange.ts";
import type { Procedure } from "./procedure.ts";

export const lookup: Procedure = async ({ target }, tools) => {
  const all = await permittedKmss(tools);
  const own = { kmsUri: tools.config.kmsUri, kmsDomains: tools.config.domains };
  const { certificates } = await tools.store.otherCertificates();
  const serving = [own, ...certificates.map(({ certificate }) => certificate)].filter((kms) =>
    (target.uris ?? []).some((uri) => serves(kms, uri)),
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

function serves({ kmsDomains }: Pick<KmsCertificate, "kmsDomains">, uri: string): boolean {
  const domain = domainOf(uri);
  return domain !== undefined && (kmsDomains ?? []).some((served) => domainOf(served) === domain);
}

/** `sip:a@Example.org;x=1`, `https://example.org/a` and `example.org` have one domain. */
function domainOf(uri: string): string | undefined {
  const rest = uri.replace(/^[A-Za-z][A-Za-z0-9+.-]*:(?:\/\/)?/, "").replace(/^.*@/, "");
  const name = /^[^/?#;:]+/.exec(rest)?.[0].toLowerCase();
  return name?.includes(".") ? name : undefined;
}
