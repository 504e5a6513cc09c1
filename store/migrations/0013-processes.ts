import type { Migration } from "./migration.ts";

/** Processes of GMS and MCX server as they report themselves, for operators. Nothing is decided by it. */
export const PROCESSES: Migration = {
  name: "processes",
  statements: [
    `CREATE TABLE server_process (
      server text COLLATE "C" NOT NULL CHECK (server IN ('gms', 'mcx')),
      name text COLLATE "C" NOT NULL,
      since bigint NOT NULL,
      seen_at bigint NOT NULL,
      until bigint NOT NULL,
      clock_ahead bigint NOT NULL,
      fault text,
      PRIMARY KEY (server, name)) WITH (fillfactor = 20)`,
  ],
};
