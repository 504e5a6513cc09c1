import type { Migration } from "./migration.ts";

/** What a group document says of a member besides its name (TS 24.481 7.2): `user-priority`, and elements that are only kept. */
export const MEMBER_DETAILS: Migration = {
  name: "member-details",
  statements: [
    "ALTER TABLE gms_member ADD COLUMN priority smallint CHECK (priority BETWEEN 0 AND 255)",
    "ALTER TABLE gms_member ADD COLUMN extensions jsonb",
  ],
};
