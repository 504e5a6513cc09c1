import type { Migration } from "./migration.ts";

/** The tables by which the processes of one MCX server know of each other. */
export const MCX: Migration = {
  name: "mcx",
  statements: [
    // A process lives as long as it renews its row. Who finds it too old deletes it, and with it all that the process owns: from
    // then on the process cannot renew it. A process that starts has a new name.
    `CREATE TABLE mcx_instance (
      instance text COLLATE "C" PRIMARY KEY,
      contacts jsonb NOT NULL,
      leaving boolean NOT NULL DEFAULT false,
      until bigint NOT NULL) WITH (fillfactor = 20)`,
    // Which process serves the call of a group; no row, no call.
    `CREATE TABLE mcx_group (
      group_uri text COLLATE "C" PRIMARY KEY,
      instance text COLLATE "C" NOT NULL REFERENCES mcx_instance ON DELETE CASCADE,
      since bigint NOT NULL)`,
    "CREATE INDEX mcx_group_instance ON mcx_group (instance)",
    // Messages for the clients of another process, one row for each process, until that process takes it.
    `CREATE TABLE mcx_message (
      id bigint GENERATED ALWAYS AS IDENTITY,
      instance text COLLATE "C" NOT NULL REFERENCES mcx_instance ON DELETE CASCADE,
      sealed bytea NOT NULL,
      PRIMARY KEY (instance, id))`,
    // Digests of CSK messages that one of the processes has taken.
    `CREATE TABLE mcx_seen (
      digest bytea PRIMARY KEY,
      expires bigint NOT NULL)`,
    "CREATE INDEX mcx_seen_expires ON mcx_seen (expires)",
    `CREATE TABLE mcx_secret (
      name text COLLATE "C" PRIMARY KEY,
      sealed bytea NOT NULL)`,
  ],
};
