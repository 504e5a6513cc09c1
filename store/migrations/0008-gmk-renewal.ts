import type { Migration } from "./migration.ts";

/** Border of key periods for which a GMK was looked at last, so that the processes share the looks. */
export const GMK_RENEWAL: Migration = {
  name: "gmk renewal",
  statements: [
    "ALTER TABLE gms_gmk ADD COLUMN renewed_for bigint NOT NULL DEFAULT 0",
    "UPDATE gms_gmk SET renewed_for = created_at WHERE state = 'live'",
    "CREATE INDEX gms_gmk_renewal ON gms_gmk (renewed_for, id) WHERE state = 'live'",
  ],
};
