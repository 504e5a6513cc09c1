/** All steps of the schema in order: the first is version 1. */
import { STORE_KEYS } from "./0001-store-keys.ts";
import { KMS } from "./0002-kms.ts";
import { GMS } from "./0003-gms.ts";
import { GMK_END } from "./0004-gmk-end.ts";
import { WRITE_PROBE } from "./0005-write-probe.ts";
import { GMS_COST } from "./0006-gms-cost.ts";
import { MCX } from "./0007-mcx.ts";
import { GMK_RENEWAL } from "./0008-gmk-renewal.ts";
import { GMK_RETIREMENT } from "./0009-gmk-retirement.ts";
import { RESTORED } from "./0010-restored.ts";
import { TRACES } from "./0011-traces.ts";
import { MEMBER_DETAILS } from "./0012-member-details.ts";
import { PROCESSES } from "./0013-processes.ts";
import { MCX_DATA } from "./0014-mcx-data.ts";
import type { Migration } from "./migration.ts";

export const MIGRATIONS: readonly Migration[] = [
  STORE_KEYS,
  KMS,
  GMS,
  GMK_END,
  WRITE_PROBE,
  GMS_COST,
  MCX,
  GMK_RENEWAL,
  GMK_RETIREMENT,
  RESTORED,
  TRACES,
  MEMBER_DETAILS,
  PROCESSES,
  MCX_DATA,
];
