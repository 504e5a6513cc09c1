/** The KMS as a server (TS 33.180 5.3, annex D). Node.js only. */
export {
  DevelopmentIssuer,
  type DevelopmentTokenOptions,
  type TokenAudience,
} from "../server/development-tokens.ts";
export type { IssuerKeyStore, KnownKeys } from "../server/issuer-keys.ts";
export { createLog, type LeveledLog, noLog, type ServerLog } from "../server/log.ts";
export type { Reconfiguration } from "../server/reconfigure.ts";
export type { TokenConfig, TokenScopes } from "../server/token-config.ts";
export { TokenRefusal, type TokenRefusalCode } from "../server/token-refusal.ts";
export {
  createTokenVerifier,
  type TokenFacts,
  type TokenVerifier,
  type TokenVerifierOptions,
} from "../server/tokens.ts";
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
export { createKmsAdmin, type KmsAdminDeps } from "./admin/operations.ts";
export {
  type KmsConfig,
  type KmsConfigInput,
  type KmsPolicy,
  kmsAudience,
  kmsConfigSchema,
  parseKmsConfig,
  type ServerIdentity,
} from "./common/config.ts";
export { KmsRefusal, REFUSALS, type RefusalCode } from "./common/errors.ts";
export { type KmsMetrics, noMetrics } from "./common/metrics.ts";
export { createPrometheusMetrics, type PrometheusMetrics } from "./common/metrics-prom.ts";
export { createKms, type Kms, type KmsOptions } from "./create.ts";
export {
  createKmsService,
  type KmsHttpRequest,
  type KmsHttpResponse,
  type KmsService,
} from "./http/service.ts";
