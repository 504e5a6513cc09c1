/** Groups, members and running rekeys, made in SQL: the store does no arithmetic, so their octets need not mean anything. */
import type { Database } from "../../store/index.ts";

export interface Size {
  readonly members: number;
  /** Each of a group of its own with one member who is away, so that it goes on running. */
  readonly rekeys: number;
}

/** Members of a group, and of a chunk. */
export const GROUP_SIZE = 10;
/** Octets of an I_MESSAGE with a GMK. */
const MESSAGE = 645;

const uri = (n: string) => `'sip:user' || lpad((${n})::text, 8, '0') || '@home.example'`;
const group = (n: string) => `'sip:group' || lpad((${n})::text, 8, '0') || '@home.example'`;
const NOW = "floor(extract(epoch FROM now()) * 1000)::bigint";

/** On empty tables. */
export async function fill(db: Database, { members, rekeys }: Size): Promise<void> {
  const groups = Math.ceil(members / GROUP_SIZE);
  const statements = [
    `INSERT INTO gms_group (uri, settings, revision, created_at)
      SELECT ${group("g")}, '{"displayName":"","services":[],"managers":[],"unprotected":[],"rekeyOnAdd":true}', 1, ${NOW}
      FROM generate_series(0, ${groups - 1}) AS g`,
    `INSERT INTO gms_member (group_uri, member_uri, kms_uri, kind, joined_at)
      SELECT ${group(`m / ${GROUP_SIZE}`)}, ${uri("m")}, 'kms.home.example', 'user', ${NOW}
      FROM generate_series(0, ${members - 1}) AS m`,
    `INSERT INTO gms_gmk (gmk_id, groups, sealed, activation, text, state, created_at)
      SELECT r, ARRAY[${group("r")}], decode(repeat('00', 61), 'hex'), ${NOW}, '', 'live', ${NOW}
      FROM generate_series(0, ${rekeys - 1}) AS r`,
    `INSERT INTO gms_rekey (kind, gmk, groups, cause, actor, state, parameters, created_at, sealed_at, quiet_since)
      SELECT 'distribute', g.id, g.groups, 'on demand', 'operator', 'running', '{}', ${NOW}, ${NOW}, ${NOW}
      FROM gms_gmk g`,
    `INSERT INTO gms_chunk (rekey, chunk, state, uris, kms_uris, kinds, csb_ids, size, seconds, fraction)
      SELECT id, 0, 'sealed', ARRAY(SELECT member_uri FROM gms_member WHERE group_uri = groups[1]),
        array_fill('kms.home.example'::text, ARRAY[${GROUP_SIZE}]), array_fill('user'::text, ARRAY[${GROUP_SIZE}]),
        ARRAY(SELECT generate_series(1, ${GROUP_SIZE})), ${GROUP_SIZE}, 0, 0
      FROM gms_rekey`,
    `INSERT INTO gms_delivery (rekey, member_uri, state, changed_at)
      SELECT r.id, m.member_uri, 'sealed', ${NOW} FROM gms_rekey r CROSS JOIN LATERAL (
        SELECT member_uri FROM gms_member WHERE group_uri = r.groups[1] ORDER BY member_uri LIMIT 1) AS m`,
    `INSERT INTO gms_message (rekey, member_uri, octets)
      SELECT rekey, member_uri, decode(repeat('00', ${MESSAGE}), 'hex') FROM gms_delivery`,
    `INSERT INTO gms_due (rekey, member_uri, next_at) SELECT rekey, member_uri, 0 FROM gms_delivery`,
  ];
  const options = { statementTimeout: 3_600_000 };
  for (const text of statements) await db.transaction((sql) => sql.query(text), options);
}

/** One rekey for so many present members of one process, sealed and due: what a large group brings. */
export async function fillDue(db: Database, instance: string, count: number): Promise<number> {
  const { rows } = await db.query<{ id: number }>(
    `INSERT INTO gms_rekey (kind, gmk, groups, cause, actor, state, parameters, created_at, sealed_at, quiet_since)
    SELECT 'distribute', max(id), ARRAY['sip:large@home.example'], 'on demand', 'operator', 'running', '{}', ${NOW}, ${NOW},
      ${NOW} FROM gms_gmk RETURNING id`,
  );
  const { id } = rows[0]!;
  const all = `FROM generate_series(0, ${count - 1}) AS m`;
  for (const text of [
    `INSERT INTO gms_delivery (rekey, member_uri, state, changed_at) SELECT ${id}, ${uri("m")}, 'sealed', ${NOW} ${all}`,
    `INSERT INTO gms_message (rekey, member_uri, octets)
      SELECT ${id}, ${uri("m")}, decode(repeat('00', ${MESSAGE}), 'hex') ${all}`,
    `INSERT INTO gms_due (rekey, member_uri, holder, next_at)
      SELECT ${id}, ${uri("m")}, '${instance}', ${NOW} - 1000000000 + m * 1000 ${all}`,
  ]) {
    await db.query(text);
  }
  return id;
}
