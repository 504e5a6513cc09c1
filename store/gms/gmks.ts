/** GMKs: key and RAND sealed, the rest in clear. */
import { concat, wipe } from "../../bindings/bytes.ts";
import { requireBytes } from "../../bindings/errors.ts";
import { isKeyId, type KeyId } from "../../bindings/identity/purpose-tag.ts";
import type { Envelope } from "../envelope.ts";
import type { Sql } from "../sql.ts";
import { storable } from "../texts.ts";
import { requireGroupUri, requireMs, usage } from "./checks.ts";
import type { GmkRecord, GmkState, NewGmk } from "./records.ts";

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
}

const COLUMNS = "id, gmk_id, groups, activation, expiry, text, state, created_at";

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
    `INSERT INTO gms_gmk (gmk_id, groups, sealed, activation, expiry, text, state, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, 'live', $7) ON CONFLICT (gmk_id) DO NOTHING RETURNING ${COLUMNS}`,
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
  await sql.query("UPDATE gms_gmk SET state = $2 WHERE id = ANY ($1::bigint[]) AND state <> 'revoked'", [
    ids,
    state,
  ]);
}
