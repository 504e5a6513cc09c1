/** Issuing keys over a store: the issuer, the bulk job, and new masters. */
export { type IssueAllOptions, type IssueAllResult, issueAll } from "./bulk.ts";
export { createKeyIssuer, type KeyIssuerOptions } from "./issuer.ts";
export type { KeyIssuer, KeyOptions, KeyRequest } from "./key-issuer.ts";
export { type MakeKmsOptions, makeKms, type RotateOptions, rotateMaster } from "./make-master.ts";
