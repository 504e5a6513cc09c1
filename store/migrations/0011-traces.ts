import type { Migration } from "./migration.ts";

/** The operation that a rekey belongs to, as a traceparent (W3C Trace Context), so that every process names the same. */
export const TRACES: Migration = {
  name: "traces",
  statements: [
    "ALTER TABLE gms_rekey ADD COLUMN traceparent text",
    // The trace of the operation because of which a GMK is to be revoked.
    "ALTER TABLE gms_gmk ADD COLUMN revoke_traceparent text",
  ],
};
