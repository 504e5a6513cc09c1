/** Decides which KMS a user may be keyed by, in the eyes of a server that takes keys of users (TS 33.180 5.4). */
import type { KmsDomain } from "../../bindings/identity/kms-domain.ts";
import type { ClientKeys } from "./load-keys.ts";

/**
 * Returns whether a user's key may be of this KMS: the Home KMS, or one that is permitted for users of certain domains,
 * this one among them.
 */
export function mayKeyUser(
  { homeKms, domains }: Pick<ClientKeys, "homeKms" | "domains">,
  { uri, kmsUri }: { readonly uri: string; readonly kmsUri: string },
): boolean {
  if (kmsUri === homeKms) return true;
  return domains.some((domain) => domain.kmsUri === kmsUri && isListed(domain, uri));
}

function isListed(domain: KmsDomain, uri: string): boolean {
  return domain.certificate.kmsDomains !== undefined && domain.vouchesFor(uri);
}
