import type { Migration } from "./migration.ts";

/** A row that is written to see whether anything can be written, see store/database/probe.ts. */
export const WRITE_PROBE: Migration = {
  name: "write probe",
  statements: [
    `CREATE TABLE store_probe (one boolean PRIMARY KEY DEFAULT true CHECK (one), at bigint NOT NULL)
      WITH (fillfactor = 20)`,
    "INSERT INTO store_probe (at) VALUES (0)",
  ],
};
