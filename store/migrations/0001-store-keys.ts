import type { Migration } from "./migration.ts";

/** Data keys of envelope encryption, each wrapped under the store key. */
export const STORE_KEYS: Migration = {
  name: "store keys",
  statements: ["CREATE TABLE store_key (id integer PRIMARY KEY, wrapped bytea NOT NULL)"],
};
