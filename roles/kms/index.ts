/** The KMS as a server (TS 33.180 5.3, annex D). Node.js only. */
export type {
  CertificateList,
  IssueOptions,
  KmsAdmin,
  MasterSummary,
  NewTransportKey,
  RotateOptions,
  TransportKeyOptions,
  TransportKeySummary,
} from "./admin/admin.ts";
export { type AdminClientOptions, adminClient } from "./admin/client.ts";
export { type AdminDeps, createAdmin } from "./admin/operations.ts";
export {
  type KmsConfig,
  type KmsConfigInput,
  type KmsPolicy,
  kmsConfigSchema,
  parseKmsConfig,
  type ServerIdentity,
  type TokenConfig,
} from "./config.ts";
export { createKms, type Kms, type KmsOptions } from "./create.ts";
export { DevelopmentIssuer, type DevelopmentTokenOptions } from "./development-tokens.ts";
export { KmsRefusal, REFUSALS, type RefusalCode } from "./errors.ts";
export { createLog, type KmsLog, noLog } from "./log.ts";
export { type KmsMetrics, noMetrics } from "./metrics.ts";
export { createPrometheusMetrics, type PrometheusMetrics } from "./metrics-prom.ts";
export { createKmsService, type KmsHttpRequest, type KmsHttpResponse, type KmsService } from "./service.ts";
export { createTokenVerifier, type TokenFacts, type TokenVerifier } from "./tokens.ts";
