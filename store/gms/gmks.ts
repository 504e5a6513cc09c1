/** GMKs: key and RAND sealed, the rest in clear. */
import { concat, wipe } from "../../base/bytes.ts";
import { requireBytes } from "../../base/errors.ts";
import { isKeyId, type KeyId } from "../../bindings/identity/purpose-tag.ts";
import type { Envelope } from "../database/envelope.ts";
import type { Sql } from "../database/sql.ts";
import { storable } from "../database/texts.ts";
import { requireGroupUri, requireLimit, requireMs, usage } from "./checks.ts";
import type { EndingGmk, GmkRecord, GmkState, NewGmk } from "./records.ts";

const KEY_BYTES = 16;
/** RFC 3830 6.11: its length is one octet. */
const RAND_BYTES = { min: 16, max: 255 };

/** No GMK-ID is used twice, so it names the row; the id is not known before it is there. */
const label = (gmkId: KeyId) => `gms gmk ${gmkId}`;

interface GmkRow {
  readonly id: number;
  readonly gmk_id: number;
  readonly groups: string[];
  readonly activation: number;
  readonly expiry: number | null;
  readonly text: string;
  readonly state: GmkState;
  readonly created_at: number;
  readonly revoke_at: number | null;
  readonly restored: boolean;
}

const COLUMNS = "id, gmk_id, groups, activation, expiry, text, state, created_at, revoke_at, restored";

function record(row: GmkRow): GmkRecord {
  return {
    id: row.id,
    gmkId: row.gmk_id,
    groups: row.groups,
    activation: row.activation,
    expiry: row.expiry ?? undefined,
    text: row.text,
    state: row.state,
    createdAt: row.created_at,
    revokeAt: row.revoke_at ?? undefined,
    ...(row.restored && { restored: true }),
  };
}

export async function ofGroup(sql: Sql, groupUri: string): Promise<GmkRecord[]> {
  const { rows } = await sql.query<GmkRow>(
    `SELECT ${COLUMNS} FROM gms_gmk WHERE groups @> ARRAY[$1::text] ORDER BY id`,
    [groupUri],
  );
  return rows.map(record);
}

export async function find(sql: Sql, id: number): Promise<GmkRecord | undefined> {
  const { rows } = await sql.query<GmkRow>(`SELECT ${COLUMNS} FROM gms_gmk WHERE id = $1`, [id]);
  return rows[0] && record(rows[0]);
}

export async function findByGmkId(sql: Sql, gmkId: KeyId): Promise<GmkRecord | undefined> {
  const { rows } = await sql.query<GmkRow>(`SELECT ${COLUMNS} FROM gms_gmk WHERE gmk_id = $1`, [gmkId]);
  return rows[0] && record(rows[0]);
}

export async function secret(
  sql: Sql,
  envelope: Envelope,
  id: number,
): Promise<{ key: Uint8Array; rand: Uint8Array }> {
  const { rows } = await sql.query<{ gmk_id: number; sealed: Uint8Array }>(
    "SELECT gmk_id, sealed FROM gms_gmk WHERE id = $1",
    [id],
  );
  if (rows[0] === undefined) throw unknownGmk(id);
  return open(envelope, rows[0].gmk_id, rows[0].sealed);
}

export function open(
  envelope: Envelope,
  gmkId: KeyId,
  sealed: Uint8Array,
): { key: Uint8Array; rand: Uint8Array } {
  const plain = envelope.open(label(gmkId), sealed);
  const both = { key: plain.slice(0, KEY_BYTES), rand: plain.slice(KEY_BYTES) };
  wipe(plain);
  return both;
}

export function unknownGmk(id: number): Error {
  return usage("GMK_UNKNOWN", `there is no GMK ${id}`);
}

export async function insert(sql: Sql, envelope: Envelope, gmk: NewGmk, now: number): Promise<GmkRecord> {
  const { gmkId, groups, activation, expiry, text } = gmk;
  requireNew(gmk);
  requireMs(now, "now");
  const plain = concat(gmk.key, gmk.rand);
  const sealed = envelope.seal(label(gmkId), plain);
  wipe(plain);
  const { rows } = await sql.query<GmkRow>(
    `INSERT INTO gms_gmk (gmk_id, groups, sealed, activation, expiry, text, state, created_at, renewed_for)
    VALUES ($1, $2, $3, $4, $5, $6, 'live', $7, $7) ON CONFLICT (gmk_id) DO NOTHING RETURNING ${COLUMNS}`,
    [gmkId, [...groups].sort(byOctets), sealed, activation, expiry ?? null, storable(text), now],
  );
  if (rows[0] === undefined) throw usage("GMK_ID_EXISTS", `GMK-ID ${gmkId}: it was used before`);
  return record(rows[0]);
}

function requireNew({ gmkId, key, rand, groups, activation, expiry }: NewGmk): void {
  if (!isKeyId(gmkId)) throw usage("BAD_KEY_ID", "GMK-ID: not an unsigned 32-bit number");
  requireBytes(key, "GMK", KEY_BYTES);
  requireBytes(rand, "RAND");
  if (rand.length < RAND_BYTES.min || rand.length > RAND_BYTES.max) {
    throw usage("WRONG_LENGTH", `RAND: ${rand.length} octets, must be 16 to 255`);
  }
  for (const uri of groups) requireGroupUri(uri);
  if (groups.length === 0 || new Set(groups).size < groups.length) {
    throw usage("BAD_GROUP", "a GMK is for one group or several different ones");
  }
  requireMs(activation, "activation");
  if (expiry !== undefined) requireMs(expiry, "expiry");
}

/** As COLLATE "C" sorts UTF-8. */
function byOctets(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

export async function setState(sql: Sql, ids: readonly number[], state: GmkState): Promise<void> {
  // What is revoked stays so.
  await sql.query(
    `UPDATE gms_gmk SET state = $2, retire_at = NULL, revoke_at = CASE WHEN $2 = 'revoked' THEN NULL ELSE revoke_at END
    WHERE id = ANY ($1::bigint[]) AND state <> 'revoked'`,
    [ids, state],
  );
}

/** One that is to be retired already is retired at the earlier time. */
export async function retireAt(sql: Sql, ids: readonly number[], at: number): Promise<void> {
  requireMs(at, "the time of a retirement");
  await sql.query(
    `UPDATE gms_gmk SET retire_at = least(coalesce(retire_at, $2::bigint), $2::bigint)
    WHERE id = ANY ($1::bigint[]) AND state = 'live'`,
    [ids, at],
  );
}

/** Claims GMKs that are due, each for one process. */
export async function claimRetiring(sql: Sql, now: number, limit: number): Promise<number[]> {
  requireMs(now, "now");
  requireLimit(limit);
  const { rows } = await sql.query<{ id: number }>(
    `WITH due AS (
      SELECT id AS due_id FROM gms_gmk WHERE retire_at <= $1
      ORDER BY retire_at, id LIMIT $2 FOR UPDATE SKIP LOCKED)
    UPDATE gms_gmk SET retire_at = NULL FROM due WHERE id = due_id RETURNING id`,
    [now, limit],
  );
  return rows.map(({ id }) => id);
}

/** One that is to end already ends at the earlier time. */
export async function revokeAt(
  sql: Sql,
  ids: readonly number[],
  at: number,
  { actor, traceparent }: { readonly actor: string; readonly traceparent?: string | undefined },
): Promise<void> {
  requireMs(at, "the time of a revocation");
  await sql.query(
    `UPDATE gms_gmk SET revoke_at = least(coalesce(revoke_at, $2::bigint), $2::bigint),
      revoke_actor = coalesce(revoke_actor, $3),
      revoke_traceparent = CASE WHEN revoke_actor IS NULL THEN $4 ELSE revoke_traceparent END
    WHERE id = ANY ($1::bigint[])`,
    [ids, at, storable(actor), traceparent ?? null],
  );
}

/** Claims GMKs that are due, each for one process. */
export async function claimEnding(sql: Sql, now: number, limit: number): Promise<EndingGmk[]> {
  requireMs(now, "now");
  requireLimit(limit);
  const { rows } = await sql.query<{ id: number; actor: string | null; traceparent: string | null }>(
    `WITH due AS (
      SELECT id AS due_id, revoke_actor AS actor, revoke_traceparent AS traceparent FROM gms_gmk WHERE revoke_at <= $1
      ORDER BY revoke_at, id LIMIT $2 FOR UPDATE SKIP LOCKED)
    UPDATE gms_gmk SET revoke_at = NULL, revoke_actor = NULL, revoke_traceparent = NULL FROM due WHERE id = due_id
    RETURNING id, due.actor, due.traceparent`,
    [now, limit],
  );
  return rows.map(({ id, actor, traceparent }) => ({
    gmk: id,
    actor: actor ?? "",
    traceparent: traceparent ?? undefined,
  }));
}

/** Live GMKs that nobody has looked at for this border of key periods; those that were left out for longest come first. */
export async function toRenew(sql: Sql, border: number, limit: number): Promise<GmkRecord[]> {
  requireMs(border, "the border of key periods");
  requireLimit(limit);
  const { rows } = await sql.query<GmkRow>(
    `SELECT ${COLUMNS} FROM gms_gmk WHERE state = 'live' AND renewed_for < $1 ORDER BY renewed_for, id LIMIT $2`,
    [border, limit],
  );
  return rows.map(record);
}

/** False: it is not live any more, or another process was faster. */
export async function claimRenewal(sql: Sql, id: number, border: number): Promise<boolean> {
  const { affected } = await sql.query(
    "UPDATE gms_gmk SET renewed_for = $2 WHERE id = $1 AND state = 'live' AND renewed_for < $2",
    [id, border],
  );
  return affected === 1;
}
