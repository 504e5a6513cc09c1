import type { Migration } from "./migration.ts";

/** The record of a database that it was restored from a backup, see store/backup/mark.ts. */
export const RESTORED: Migration = {
  name: "restored",
  statements: [
    // One row for each time: when the backup was made, and when it was put back.
    `CREATE TABLE store_restored (
      restored_at bigint PRIMARY KEY,
      made_at bigint NOT NULL)`,
    // Marks a GMK that came out of a backup: the group may have had newer ones since, so another takes its place.
    "ALTER TABLE gms_gmk ADD COLUMN restored boolean NOT NULL DEFAULT false",
  ],
};
