/** All steps of the schema in order: the first is version 1. */
import { STORE_KEYS } from "./0001-store-keys.ts";
import { KMS } from "./0002-kms.ts";
import { GMS } from "./0003-gms.ts";
import type { Migration } from "./migration.ts";

export const MIGRATIONS: readonly Migration[] = [STORE_KEYS, KMS, GMS];
