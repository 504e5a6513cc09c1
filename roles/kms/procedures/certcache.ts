/** KMS CertCache (TS 33.180 D.2.5): all certificates, of this KMS and of those its users may meet. */
import type { Procedure } from "./procedure.ts";

export const certcache: Procedure = async ({ target }, { issuer, store }) => {
  const { cacheNum, certificates } = await store.otherCertificates();
  // Who has the present cache gets its number again and no certificates.
  const current = target.cacheNum === cacheNum;
  const all = [...issuer.certificates(), ...certificates.map(({ certificate }) => certificate)];
  return { message: { type: "certcache", cacheNum, certificates: current ? [] : all } };
};
