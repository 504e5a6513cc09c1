/** The group management server (TS 33.180 5.7). Node.js only. */
export { GmsStore } from "../../store/gms/gms-store.ts";
export type {
  DeliveryRecord,
  DeliveryState,
  GmkRecord,
  GmkState,
  GmsAuditQuery,
  GmsAuditRecord,
  GroupRecord,
  GroupSettings,
  McService,
  MemberKind,
  MemberRecord,
  RekeyKind,
  RekeyRecord,
  RekeyState,
} from "../../store/gms/records.ts";
export type { IssuerKeyStore, KnownKeys } from "../server/issuer-keys.ts";
export type { Reconfiguration } from "../server/reconfigure.ts";
export { gmsAdminClient } from "./admin/client.ts";
export { type Caller, type ManagerCaller, manager, type OperatorCaller, operator } from "./common/caller.ts";
export {
  type GmsConfig,
  type GmsConfigInput,
  type GmsPolicy,
  gmsAudience,
  gmsConfigSchema,
  parseGmsConfig,
} from "./common/config.ts";
export type { GmsErrorCode } from "./common/errors.ts";
export { createLog, type GmsLog, type LeveledLog, noLog } from "./common/log.ts";
export { type GmsMetrics, noMetrics, type StoreCounts } from "./common/metrics.ts";
export { createPrometheusMetrics, type PrometheusMetrics } from "./common/metrics-prom.ts";
export type {
  Changed,
  GmkOptions,
  GmsAdmin,
  GmsContext,
  GmsEvents,
  GmsKeys,
  NewGroup,
  NewMember,
  Page,
  RekeyOptions,
} from "./common/ports.ts";
export { createGms, type Gms, type GmsAddresses, type GmsOptions } from "./create.ts";
export { type ProvisionedKeys, type ProvisionGmsOptions, provisionGms } from "./identity.ts";
