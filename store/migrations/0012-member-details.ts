import type { Migration } from "./migration.ts";

/**
 * The details of a member in a group document besides its name (TS 24.481 7.2): `user-priority`, and elements that are
 * only kept. Servers did not look at the services of a group before, so groups with the default of that time keep their
 * short data.
 */
export const MEMBER_DETAILS: Migration = {
  name: "member-details",
  statements: [
    "ALTER TABLE gms_member ADD COLUMN priority smallint CHECK (priority BETWEEN 0 AND 255)",
    "ALTER TABLE gms_member ADD COLUMN extensions jsonb",
    `UPDATE gms_group SET settings = jsonb_set(settings, '{services}', '["mcptt", "mcdata"]')
       WHERE settings->'services' = '["mcptt"]'`,
  ],
};
