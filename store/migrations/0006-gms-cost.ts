import type { Migration } from "./migration.ts";

/**
 * What a GMS writes follows what changes, not how many members there are: a process has one lease, a message is written
 * once and its state apart from it, and what is to be sent is a queue of small rows of its own.
 *
 * Processes of the version before must have stopped. Members who were present have to subscribe anew in any case.
 */
export const GMS_COST: Migration = {
  name: "gms cost",
  statements: [
    // Each process renews its row; presence counts as long as the row of its process does.
    `CREATE TABLE gms_instance (
      instance text COLLATE "C" PRIMARY KEY,
      until bigint NOT NULL) WITH (fillfactor = 20)`,
    "DELETE FROM gms_presence",
    "ALTER TABLE gms_presence DROP COLUMN until",
    "DROP TABLE gms_presence_change",

    // Second of the greatest T given when the clock was set back: some of the times up to there were used.
    "ALTER TABLE gms_clock ADD COLUMN used_until bigint",

    // No sealed message of a running rekey has changed before: until then none has waited too long.
    "ALTER TABLE gms_rekey DROP COLUMN turn, ADD COLUMN quiet_since bigint NOT NULL DEFAULT 0",
    "UPDATE gms_rekey SET quiet_since = created_at WHERE state = 'running'",
    "DROP SEQUENCE gms_turn",
    "DROP INDEX gms_rekey_running",
    "CREATE INDEX gms_rekey_quiet ON gms_rekey (quiet_since) WHERE state = 'running'",

    // Members who are not forgotten. `due_at` is also the order in which chunks are served, see store/gms/queue-times.ts.
    "ALTER TABLE gms_chunk ADD COLUMN size integer NOT NULL DEFAULT 0",
    "UPDATE gms_chunk SET size = cardinality(uris) - cardinality(forgotten)",
    "DROP INDEX gms_chunk_planned",
    "CREATE INDEX gms_chunk_due ON gms_chunk (due_at, rekey, chunk) WHERE state = 'planned'",

    "ALTER TABLE gms_delivery RENAME TO gms_delivery_before",
    "ALTER INDEX gms_delivery_pkey RENAME TO gms_delivery_before_pkey",
    "DROP INDEX gms_delivery_member, gms_delivery_sealed, gms_delivery_returned",
    // Never updated.
    `CREATE TABLE gms_message (
      rekey bigint NOT NULL,
      member_uri text COLLATE "C" NOT NULL,
      octets bytea NOT NULL,
      PRIMARY KEY (rekey, member_uri))`,
    "INSERT INTO gms_message SELECT rekey, member_uri, octets FROM gms_delivery_before",
    // No index has a column that is updated, so that an update writes one small row (HOT).
    `CREATE TABLE gms_delivery (
      rekey bigint NOT NULL,
      member_uri text COLLATE "C" NOT NULL,
      state text NOT NULL CHECK (
        state IN ('sealed', 'delivered', 'acknowledged', 'refused', 'unreachable', 'superseded')),
      attempts integer NOT NULL DEFAULT 0,
      changed_at bigint NOT NULL,
      status integer,
      reason text,
      PRIMARY KEY (rekey, member_uri)) WITH (fillfactor = 60)`,
    `INSERT INTO gms_delivery SELECT rekey, member_uri, state, attempts, changed_at, status, reason
      FROM gms_delivery_before`,
    "CREATE INDEX gms_delivery_member ON gms_delivery (member_uri)",
    // What is still to be sent: a row for each sealed message, and (`returned`) for what was unreachable and whose member
    // has come back. `holder` is the process that has a subscription of the member, if any has; `taken_until` is when its
    // claim ends, and `attempts` those that gms_delivery has not counted yet.
    `CREATE TABLE gms_due (
      rekey bigint NOT NULL,
      member_uri text COLLATE "C" NOT NULL,
      holder text COLLATE "C",
      next_at bigint NOT NULL,
      taken_until bigint NOT NULL DEFAULT 0,
      attempts integer NOT NULL DEFAULT 0,
      returned boolean NOT NULL DEFAULT false,
      PRIMARY KEY (rekey, member_uri)) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02)`,
    `INSERT INTO gms_due (rekey, member_uri, next_at)
      SELECT rekey, member_uri, 0 FROM gms_delivery_before WHERE state = 'sealed'`,
    "CREATE INDEX gms_due_holder ON gms_due (holder, next_at, rekey) WHERE holder IS NOT NULL",
    "DROP TABLE gms_delivery_before",

    // When one of the processes did last what is done once for all of them.
    `CREATE TABLE gms_step (
      name text PRIMARY KEY,
      done_at bigint NOT NULL) WITH (fillfactor = 20)`,
    // Sums of changes: what a count is, is the sum of its rows. Nobody waits for anybody to add one.
    `CREATE TABLE gms_count (name text NOT NULL, delta bigint NOT NULL)`,
    `INSERT INTO gms_count SELECT 'groups', count(*) FROM gms_group UNION ALL SELECT 'members', count(*) FROM gms_member`,
    `CREATE FUNCTION gms_count_rows() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        INSERT INTO gms_count (name, delta)
          SELECT TG_ARGV[0], CASE TG_OP WHEN 'INSERT' THEN count(*) ELSE -count(*) END FROM changed
          HAVING count(*) > 0;
        RETURN NULL;
      END $$`,
    ...["group", "member"].flatMap((what) => [
      `CREATE TRIGGER gms_${what}_more AFTER INSERT ON gms_${what} REFERENCING NEW TABLE AS changed
        FOR EACH STATEMENT EXECUTE FUNCTION gms_count_rows('${what}s')`,
      `CREATE TRIGGER gms_${what}_less AFTER DELETE ON gms_${what} REFERENCING OLD TABLE AS changed
        FOR EACH STATEMENT EXECUTE FUNCTION gms_count_rows('${what}s')`,
    ]),
  ],
};
