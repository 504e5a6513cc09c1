/** KMS CertCache (TS 33.180 D.2.5): all certificates, of this KMS and of those its users may meet. */
import type { Procedure } from "./procedure.ts";

export const certcache: Procedure = async ({ target }, { store }) => {
  // Not those that the issuer holds: they may be older than the number.
  const { cacheNum, own, others } = await store.certificates();
  // A client that has the present cache gets its number again and no certificates.
  const current = target.cacheNum === cacheNum;
  const all = [...own, ...others.map(({ certificate }) => certificate)];
  return { message: { type: "certcache", cacheNum, certificates: current ? [] : all } };
};
