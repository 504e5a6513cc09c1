import type { Migration } from "./migration.ts";

/** Files of members, and messages for users who are away, which any process of an MCX server may bring. */
export const MCX_DATA: Migration = {
  name: "mcx-data",
  statements: [
    // A file is there once it is complete. Before that it takes room, until the time in which an upload must be done.
    `CREATE TABLE mcx_file (
      id text COLLATE "C" PRIMARY KEY,
      audience jsonb NOT NULL,
      sender text COLLATE "C" NOT NULL,
      origin text NOT NULL,
      size bigint NOT NULL,
      complete boolean NOT NULL DEFAULT false,
      expires bigint NOT NULL)`,
    "CREATE INDEX mcx_file_expires ON mcx_file (expires)",
    `CREATE TABLE mcx_file_part (
      id text COLLATE "C" NOT NULL REFERENCES mcx_file ON DELETE CASCADE,
      part integer NOT NULL,
      sealed bytea NOT NULL,
      PRIMARY KEY (id, part))`,
    // Users who have been bound lately: what cannot be brought to them is kept.
    `CREATE TABLE mcx_user (
      user_uri text COLLATE "C" PRIMARY KEY,
      until bigint NOT NULL)`,
    "CREATE INDEX mcx_user_until ON mcx_user (until)",
    `CREATE TABLE mcx_kept (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      user_uri text COLLATE "C" NOT NULL,
      name text COLLATE "C" NOT NULL,
      octets integer NOT NULL,
      until bigint NOT NULL,
      sealed bytea NOT NULL,
      UNIQUE (user_uri, name))`,
    "CREATE INDEX mcx_kept_until ON mcx_kept (until)",
  ],
};
