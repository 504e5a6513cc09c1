import type { Migration } from "./migration.ts";

/** When a GMK is retired since the one in its place begins to be used. */
export const GMK_RETIREMENT: Migration = {
  name: "gmk-retirement",
  statements: [
    "ALTER TABLE gms_gmk ADD COLUMN retire_at bigint",
    "CREATE INDEX gms_gmk_retire ON gms_gmk (retire_at) WHERE retire_at IS NOT NULL",
  ],
};
