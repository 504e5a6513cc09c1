/** XML signatures with a shared key, as KMS and KM clients use them (TS 33.180 D.1). */
export type { NamedKey } from "./algorithms.ts";
export { signXml } from "./sign.ts";
export { type VerifiedXml, verifyXml } from "./verify.ts";
