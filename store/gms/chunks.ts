/** Chunks: members without a message yet, claimed by one process at a time, which seals them and saves the messages. */
import { requireBytes } from "../../bindings/errors.ts";
import type { KeyParameters } from "../../bindings/index.ts";
import type { Envelope } from "../envelope.ts";
import type { Database, Sql } from "../sql.ts";
import { storable } from "../texts.ts";
import { requireClaimant, requireMs, usage } from "./checks.ts";
import { fromColumns, type TimeColumns } from "./clock.ts";
import { open } from "./gmks.ts";
import type { Claimant } from "./gms-store.ts";
import { holdPresence } from "./presence.ts";
import type { ClaimedChunk, MemberKind, NewRekeyMember, RekeyKind, SealedRow } from "./records.ts";
import { settle } from "./rekeys.ts";

/** Rekeys that a claim looks at; where others are just claiming of all of them there is nothing for it this time. */
const CANDIDATES = 16;
/** Octets of an I_MESSAGE at most, far beyond any. */
const MESSAGE_OCTETS = 65_536;
const ERROR_LENGTH = 500;

interface ChunkRow extends TimeColumns {
  readonly rekey: number;
  readonly chunk: number;
  readonly attempts: number;
  readonly uris: string[];
  readonly kms_uris: string[];
  readonly kinds: MemberKind[];
  readonly csb_ids: unknown[];
  readonly forgotten: string[];
  readonly kind: RekeyKind;
  readonly gmk_id: number;
  readonly sealed: Uint8Array;
  readonly parameters: KeyParameters;
}

/** The key is opened after the commit: one that does not open must not keep others from their turn. */
export async function claim(
  db: Database,
  envelope: Envelope,
  claimant: Claimant,
): Promise<ClaimedChunk | undefined> {
  requireClaimant(claimant);
  const row = await db.transaction(async (sql) => {
    for (const rekey of await waiting(sql, claimant.now)) {
      const claimed = await claimOf(sql, rekey, claimant);
      if (claimed !== undefined) return claimed;
    }
    return undefined;
  });
  if (row === undefined) return undefined;
  return {
    rekey: row.rekey,
    chunk: row.chunk,
    claim: claimName(claimant.instance, row.attempts),
    attempts: row.attempts,
    kind: row.kind,
    gmkId: row.gmk_id,
    ...open(envelope, row.gmk_id, row.sealed),
    time: fromColumns(row),
    members: membersOf(row),
    parameters: row.parameters,
  };
}

/** Each claim of a chunk counts its attempts up, so no two have the same name. */
function claimName(instance: string, attempts: number): string {
  return `${attempts} ${instance}`;
}

function membersOf(row: ChunkRow): NewRekeyMember[] {
  const forgotten = new Set(row.forgotten);
  return row.uris
    .map((uri, i) => ({ uri, kmsUri: row.kms_uris[i]!, kind: row.kinds[i]!, csbId: Number(row.csb_ids[i]) }))
    .filter(({ uri }) => !forgotten.has(uri));
}

/** Rekeys with something to seal, the one that waits longest for its turn first. */
async function waiting(sql: Sql, now: number): Promise<number[]> {
  const { rows } = await sql.query<{ id: number }>(
    `SELECT id FROM gms_rekey WHERE state = 'running' AND sealed_at IS NULL
      AND EXISTS (SELECT FROM gms_chunk WHERE rekey = id AND state = 'planned' AND due_at <= $1)
    ORDER BY turn, id LIMIT ${CANDIDATES}`,
    [now],
  );
  return rows.map(({ id }) => id);
}

async function claimOf(sql: Sql, rekey: number, claimant: Claimant): Promise<ChunkRow | undefined> {
  const { instance, now, leaseMs } = claimant;
  const { rows } = await sql.query<ChunkRow>(
    `UPDATE gms_chunk c SET claimed_by = $3, attempts = c.attempts + 1, due_at = $2::bigint + $4::bigint
    FROM gms_rekey r JOIN gms_gmk g ON g.id = r.gmk
    WHERE r.id = $1 AND c.rekey = $1 AND c.chunk = (
      SELECT chunk FROM gms_chunk WHERE rekey = $1 AND state = 'planned' AND due_at <= $2
      ORDER BY chunk LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING c.rekey, c.chunk, c.attempts, c.uris, c.kms_uris, c.kinds, c.csb_ids, c.forgotten, c.seconds, c.fraction,
      r.kind, r.parameters, g.gmk_id, g.sealed`,
    [rekey, now, instance, leaseMs],
  );
  if (rows[0] === undefined) return undefined;
  await sql.query("UPDATE gms_rekey SET turn = nextval('gms_turn') WHERE id = $1", [rekey]);
  return rows[0];
}

export async function save(
  db: Database,
  claimed: ClaimedChunk,
  messages: readonly SealedRow[],
  now: number,
): Promise<boolean> {
  requireMs(now, "now");
  requireRows(claimed, messages);
  return db.transaction(async (sql) => {
    const forgotten = await lockClaimed(sql, claimed);
    if (forgotten === undefined) return false;
    await insert(
      sql,
      claimed.rekey,
      messages.filter(({ uri }) => !forgotten.has(uri)),
      now,
    );
    await sql.query(
      "UPDATE gms_chunk SET state = 'sealed', claimed_by = NULL, error = NULL WHERE rekey = $1 AND chunk = $2",
      [claimed.rekey, claimed.chunk],
    );
    await settle(sql, [claimed.rekey], now);
    return true;
  });
}

function requireRows({ members, rekey, chunk }: ClaimedChunk, messages: readonly SealedRow[]): void {
  const open = new Set(members.map(({ uri }) => uri));
  for (const { uri, octets } of messages) {
    requireBytes(octets, `message of ${uri}`);
    if (octets.length === 0 || octets.length > MESSAGE_OCTETS) {
      throw usage("BAD_ROWS", `message of ${uri}: ${octets.length} octets, must be 1 to ${MESSAGE_OCTETS}`);
    }
    if (!open.delete(uri))
      throw usage("BAD_ROWS", `${uri}: twice, or not in chunk ${chunk} of rekey ${rekey}`);
  }
  for (const uri of open) throw usage("BAD_ROWS", `${uri}: no message in chunk ${chunk} of rekey ${rekey}`);
}

/** Members that were forgotten by now, or undefined when the chunk is not this claim's any more. */
async function lockClaimed(
  sql: Sql,
  { rekey, chunk, claim }: ClaimedChunk,
): Promise<Set<string> | undefined> {
  const { rows } = await sql.query<{ claimed_by: string | null; attempts: number; forgotten: string[] }>(
    `SELECT claimed_by, attempts, forgotten FROM gms_chunk
    WHERE rekey = $1 AND chunk = $2 AND state = 'planned' FOR UPDATE`,
    [rekey, chunk],
  );
  const row = rows[0];
  if (row === undefined || row.claimed_by === null) return undefined;
  return claimName(row.claimed_by, row.attempts) === claim ? new Set(row.forgotten) : undefined;
}

async function insert(sql: Sql, rekey: number, messages: readonly SealedRow[], now: number): Promise<void> {
  await holdPresence(sql);
  await sql.query(
    `INSERT INTO gms_delivery (rekey, member_uri, state, holder, next_at, changed_at, octets)
    SELECT $1::bigint, m.uri, 'sealed',
      (SELECT instance FROM gms_presence WHERE member_uri = m.uri AND until > $2::bigint LIMIT 1),
      $2::bigint, $2::bigint, m.octets
    FROM unnest($3::text[], $4::bytea[]) AS m (uri, octets)`,
    [rekey, now, messages.map(({ uri }) => uri), messages.map(({ octets }) => octets)],
  );
}

export async function release(
  db: Database,
  claimed: ClaimedChunk,
  failure: { readonly now: number; readonly nextAt: number; readonly error: string },
): Promise<void> {
  requireMs(failure.nextAt, "nextAt");
  await db.transaction(async (sql) => {
    if ((await lockClaimed(sql, claimed)) === undefined) return;
    await sql.query(
      "UPDATE gms_chunk SET claimed_by = NULL, due_at = $3, error = $4 WHERE rekey = $1 AND chunk = $2",
      [claimed.rekey, claimed.chunk, failure.nextAt, storable(failure.error).slice(0, ERROR_LENGTH)],
    );
  });
}

/** Frees what these processes had claimed; all processes without a name. */
export async function recover(sql: Sql, instance: string | undefined): Promise<void> {
  await sql.query(
    `UPDATE gms_chunk SET claimed_by = NULL, due_at = 0
    WHERE state = 'planned' AND claimed_by IS NOT NULL AND ($1::text IS NULL OR claimed_by = $1)`,
    [instance ?? null],
  );
}
