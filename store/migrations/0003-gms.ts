import type { Migration } from "./migration.ts";

/**
 * The tables of a GMS. Columns named `sealed` hold what the envelope made. Texts sort by their octets on every server,
 * whatever its language is. Messages are encrypted for their members and signed, and are stored as they are.
 *
 * Members of a rekey without a message yet are arrays in rows of `gms_chunk`; a row of `gms_delivery` is a message.
 */
export const GMS: Migration = {
  name: "gms",
  statements: [
    'CREATE TABLE gms_secret (name text COLLATE "C" PRIMARY KEY, sealed bytea NOT NULL)',
    `CREATE TABLE gms_group (
      uri text COLLATE "C" PRIMARY KEY CHECK (octet_length(uri) BETWEEN 1 AND 2000),
      settings jsonb NOT NULL,
      revision bigint NOT NULL,
      created_at bigint NOT NULL,
      next_rekey_at bigint)`,
    // Rows stay for ever: a group that is made again goes on from there, so that no entity tag of it comes back.
    `CREATE TABLE gms_group_gone (
      uri text COLLATE "C" PRIMARY KEY,
      revision bigint NOT NULL)`,
    "CREATE INDEX gms_group_due ON gms_group (next_rekey_at) WHERE next_rekey_at IS NOT NULL",
    `CREATE TABLE gms_member (
      group_uri text COLLATE "C" NOT NULL,
      member_uri text COLLATE "C" NOT NULL,
      kms_uri text COLLATE "C" NOT NULL,
      kind text NOT NULL CHECK (kind IN ('user', 'mcx-server', 'gms')),
      joined_at bigint NOT NULL,
      PRIMARY KEY (group_uri, member_uri))`,
    "CREATE INDEX gms_member_groups ON gms_member (member_uri)",
    // Rows stay for ever: no GMK-ID comes back.
    `CREATE TABLE gms_gmk (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      gmk_id bigint NOT NULL UNIQUE,
      groups text[] COLLATE "C" NOT NULL,
      sealed bytea NOT NULL,
      activation bigint NOT NULL,
      expiry bigint,
      text text NOT NULL,
      state text NOT NULL CHECK (state IN ('live', 'retired', 'revoked')),
      created_at bigint NOT NULL)`,
    "CREATE INDEX gms_gmk_groups ON gms_gmk USING gin (groups)",
    // The last T given to each initiator: seconds since 1900 with the era put back, and the fraction in units of 2^-32 s.
    `CREATE TABLE gms_clock (
      initiator_uri text COLLATE "C" PRIMARY KEY,
      seconds bigint NOT NULL,
      fraction bigint NOT NULL)`,
    // `turn` says which rekey was served least recently; 0 is one that never was.
    `CREATE TABLE gms_rekey (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      kind text NOT NULL CHECK (kind IN ('distribute', 'renew', 'revoke')),
      gmk bigint NOT NULL,
      groups text[] COLLATE "C" NOT NULL,
      cause text NOT NULL,
      actor text NOT NULL,
      state text NOT NULL CHECK (state IN ('running', 'done', 'superseded')),
      parameters jsonb NOT NULL,
      revoke_after bigint[],
      turn bigint NOT NULL DEFAULT 0,
      created_at bigint NOT NULL,
      sealed_at bigint,
      finished_at bigint)`,
    "CREATE SEQUENCE gms_turn",
    "CREATE INDEX gms_rekey_gmk ON gms_rekey (gmk)",
    "CREATE INDEX gms_rekey_groups ON gms_rekey USING gin (groups)",
    "CREATE INDEX gms_rekey_running ON gms_rekey (id) WHERE state = 'running'",
    "CREATE INDEX gms_rekey_revoke ON gms_rekey (id) WHERE state = 'done' AND revoke_after IS NOT NULL",
    "CREATE INDEX gms_rekey_ended ON gms_rekey (finished_at) WHERE finished_at IS NOT NULL",
    // T of the first member in the columns of gms_clock. `forgotten` are members that get no message any more,
    // `unserved` those of them who never were handed one with the GMK.
    `CREATE TABLE gms_chunk (
      rekey bigint NOT NULL,
      chunk integer NOT NULL,
      state text NOT NULL CHECK (state IN ('planned', 'sealed', 'superseded')),
      uris text[] COLLATE "C" NOT NULL,
      kms_uris text[] COLLATE "C" NOT NULL,
      kinds text[] NOT NULL,
      csb_ids bigint[] NOT NULL,
      forgotten text[] COLLATE "C" NOT NULL DEFAULT '{}',
      unserved text[] COLLATE "C" NOT NULL DEFAULT '{}',
      seconds bigint NOT NULL,
      fraction bigint NOT NULL,
      attempts integer NOT NULL DEFAULT 0,
      due_at bigint NOT NULL DEFAULT 0,
      claimed_by text COLLATE "C",
      error text,
      PRIMARY KEY (rekey, chunk))`,
    "CREATE INDEX gms_chunk_planned ON gms_chunk (rekey, chunk) WHERE state = 'planned'",
    // `holder` is the process that has a subscription of the member, if any has.
    `CREATE TABLE gms_delivery (
      rekey bigint NOT NULL,
      member_uri text COLLATE "C" NOT NULL,
      state text NOT NULL CHECK (
        state IN ('sealed', 'delivered', 'acknowledged', 'refused', 'unreachable', 'superseded')),
      holder text COLLATE "C",
      attempts integer NOT NULL DEFAULT 0,
      next_at bigint NOT NULL,
      changed_at bigint NOT NULL,
      status integer,
      reason text,
      octets bytea NOT NULL,
      PRIMARY KEY (rekey, member_uri))`,
    "CREATE INDEX gms_delivery_member ON gms_delivery (member_uri)",
    "CREATE INDEX gms_delivery_sealed ON gms_delivery (rekey, holder, next_at) WHERE state = 'sealed'",
    `CREATE INDEX gms_delivery_returned ON gms_delivery (holder, next_at)
      WHERE state = 'unreachable' AND holder IS NOT NULL`,
    `CREATE TABLE gms_presence (
      member_uri text COLLATE "C" NOT NULL,
      instance text COLLATE "C" NOT NULL,
      until bigint NOT NULL,
      PRIMARY KEY (member_uri, instance))`,
    // Never holds a row: it is locked, see store/gms/presence.ts.
    "CREATE TABLE gms_presence_change ()",
    "CREATE INDEX gms_presence_until ON gms_presence (until)",
    "CREATE INDEX gms_presence_instance ON gms_presence (instance)",
    `CREATE TABLE gms_audit (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      at bigint NOT NULL,
      actor text NOT NULL,
      action text NOT NULL,
      group_uri text COLLATE "C",
      outcome text NOT NULL CHECK (outcome IN ('ok', 'refused')),
      code text,
      detail jsonb)`,
  ],
};
