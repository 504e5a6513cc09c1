import type { Migration } from "./migration.ts";

/** When a GMK is to be revoked, since somebody who holds it was removed, and on whose behalf. */
export const GMK_END: Migration = {
  name: "gmk-end",
  statements: [
    "ALTER TABLE gms_gmk ADD COLUMN revoke_at bigint, ADD COLUMN revoke_actor text",
    "CREATE INDEX gms_gmk_revoke ON gms_gmk (revoke_at) WHERE revoke_at IS NOT NULL",
    "CREATE INDEX kms_user_revoked ON kms_user (revoked_at) WHERE revoked_at IS NOT NULL",
    "CREATE INDEX gms_audit_at ON gms_audit (at)",
    "CREATE INDEX kms_audit_at ON kms_audit (at)",
  ],
};
