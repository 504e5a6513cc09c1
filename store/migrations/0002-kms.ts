import type { Migration } from "./migration.ts";

/**
 * The tables of a KMS. Columns named `sealed` hold what the envelope made. Texts sort by their octets on every server,
 * whatever its language is. Keys are found by period first: a period's keys are made, taken over and purged together.
 */
export const KMS: Migration = {
  name: "kms",
  statements: [
    `CREATE TABLE kms_master (
      id integer PRIMARY KEY,
      cert_uri text COLLATE "C" UNIQUE,
      from_period bigint NOT NULL,
      certificate jsonb NOT NULL,
      sealed bytea NOT NULL,
      revoked boolean NOT NULL,
      created_at bigint NOT NULL)`,
    `CREATE TABLE kms_user (
      uri text COLLATE "C" PRIMARY KEY CHECK (octet_length(uri) BETWEEN 1 AND 2000),
      enrolled_at bigint NOT NULL,
      revoked_at bigint,
      reason text)`,
    `CREATE TABLE kms_issued (
      period_no bigint NOT NULL,
      user_uri text COLLATE "C" NOT NULL,
      master_id integer NOT NULL,
      uid bytea NOT NULL,
      pvt bytea NOT NULL,
      sealed bytea NOT NULL,
      issued_at bigint NOT NULL,
      PRIMARY KEY (period_no, user_uri))`,
    // Never holds a row: it is locked, see store/kms/issuing-lock.ts.
    "CREATE TABLE kms_issuing ()",
    `CREATE TABLE kms_transport_key (
      id text COLLATE "C" PRIMARY KEY,
      user_uri text COLLATE "C" NOT NULL,
      kind text NOT NULL CHECK (kind IN ('TrK', 'InK')),
      state text NOT NULL CHECK (state IN ('pending', 'active', 'retired')),
      sealed bytea NOT NULL,
      created_at bigint NOT NULL)`,
    "CREATE INDEX kms_transport_key_user ON kms_transport_key (user_uri)",
    `CREATE UNIQUE INDEX kms_transport_key_active ON kms_transport_key (user_uri, kind)
      WHERE state = 'active'`,
    "CREATE TABLE kms_seen (digest bytea PRIMARY KEY, expires bigint NOT NULL)",
    "CREATE INDEX kms_seen_expires ON kms_seen (expires)",
    `CREATE TABLE kms_audit (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      at bigint NOT NULL,
      actor text NOT NULL,
      action text NOT NULL,
      user_uri text COLLATE "C",
      period_no bigint,
      outcome text NOT NULL CHECK (outcome IN ('ok', 'refused')),
      code text,
      request_id text,
      detail jsonb)`,
    "CREATE INDEX kms_audit_user ON kms_audit (user_uri, id)",
    `CREATE TABLE kms_other_certificate (
      kms_uri text COLLATE "C" NOT NULL,
      cert_uri text COLLATE "C" NOT NULL,
      kind text NOT NULL CHECK (kind IN ('external', 'migration')),
      certificate jsonb NOT NULL,
      PRIMARY KEY (kms_uri, cert_uri))`,
    // CacheNum of D.3.2, in the one row there is.
    "CREATE TABLE kms_cache (one boolean PRIMARY KEY DEFAULT true CHECK (one), cache_num bigint NOT NULL)",
    "INSERT INTO kms_cache (cache_num) VALUES (1)",
  ],
};
