/** KMS Cert (TS 33.180 D.2.6): the certificate of one KMS. */
import { KmsRefusal } from "../common/errors.ts";
import type { Procedure } from "./procedure.ts";

export const cert: Procedure = async ({ target, now }, { config, issuer, store }) => {
  const uris = target.uris!;
  if (uris.includes(config.kmsUri)) {
    return { message: { type: "certcache", certificates: [issuer.currentCertificate(now)] } };
  }
  const { certificates } = await store.otherCertificates();
  const found = certificates.filter(({ certificate }) => uris.includes(certificate.kmsUri));
  if (found.length === 0) throw new KmsRefusal("NO_CERTIFICATE", uris[0]);
  return { message: { type: "certcache", certificates: found.map(({ certificate }) => certificate) } };
};
