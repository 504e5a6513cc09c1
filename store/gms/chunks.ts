/** Chunks: members without a message yet, claimed by one process at a time, which seals them and saves the messages. */
import { concat } from "../../base/bytes.ts";
import { requireBytes } from "../../base/errors.ts";
import type { KeyParameters } from "../../bindings/index.ts";
import type { Envelope } from "../database/envelope.ts";
import type { Database, Sql } from "../database/sql.ts";
import type { SqlClock } from "../database/sql-clock.ts";
import { storable } from "../database/texts.ts";
import { requireClaimant, requireWait, usage } from "./checks.ts";
import { fromColumns, type TimeColumns } from "./clock.ts";
import { open } from "./gmks.ts";
import { tellOthers, wakeHolders } from "./notices.ts";
import { adoptLate } from "./presence.ts";
import { freshAt, isAgain, isFresh } from "./queue-times.ts";
import type {
  ChunkFailure,
  Claimant,
  ClaimedChunk,
  MemberKind,
  NewRekeyMember,
  RekeyKind,
  SealedRow,
} from "./records.ts";
import { settle } from "./settle.ts";

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
  readonly traceparent: string | null;
}

/** The key is opened after the commit: one that does not open must not keep others from their turn. */
export async function claim(
  db: Database,
  clock: SqlClock,
  envelope: Envelope,
  claimant: Claimant,
): Promise<ClaimedChunk | undefined> {
  requireClaimant(claimant);
  const row = await claimNext(db, clock, claimant);
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
    traceparent: row.traceparent ?? undefined,
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

/**
 * One chunk that nobody is just claiming. What is new and what is tried again have turns by chance, so that neither waits
 * for all of the other.
 */
async function claimNext(
  sql: Sql,
  clock: SqlClock,
  { instance, leaseMs }: Claimant,
): Promise<ChunkRow | undefined> {
  const now = clock();
  const next = (which: string) => `SELECT rekey, chunk FROM gms_chunk WHERE state = 'planned' AND ${which}
      ORDER BY due_at, rekey, chunk LIMIT 1 FOR UPDATE SKIP LOCKED`;
  const { rows } = await sql.query<ChunkRow>(
    `WITH fresh AS (${next(isFresh(now, "due_at"))}),
    again AS (${next(isAgain(now, "due_at"))}),
    picked AS (
      SELECT rekey, chunk FROM (
        SELECT rekey, chunk, 0.5 AS rank FROM fresh UNION ALL SELECT rekey, chunk, random() FROM again) AS both_kinds
      ORDER BY rank LIMIT 1)
    UPDATE gms_chunk c SET claimed_by = $1, attempts = c.attempts + 1, due_at = ${now} + $2::bigint
    FROM picked JOIN gms_rekey r ON r.id = picked.rekey JOIN gms_gmk g ON g.id = r.gmk
    WHERE c.rekey = picked.rekey AND c.chunk = picked.chunk
    RETURNING c.rekey, c.chunk, c.attempts, c.uris, c.kms_uris, c.kinds, c.csb_ids, c.forgotten, c.seconds, c.fraction,
      r.kind, r.parameters, r.traceparent, g.gmk_id, g.sealed`,
    [instance, leaseMs],
  );
  return rows[0];
}

export async function save(
  db: Database,
  clock: SqlClock,
  claimed: ClaimedChunk,
  messages: readonly SealedRow[],
): Promise<boolean> {
  requireRows(claimed, messages);
  const stored = await db.transaction(async (sql) => {
    const forgotten = await lockClaimed(sql, claimed);
    if (forgotten === undefined) return undefined;
    const rows = messages.filter(({ uri }) => !forgotten.has(uri));
    const absent = await insert(sql, clock, claimed, rows);
    await sql.query(
      "UPDATE gms_chunk SET state = 'sealed', claimed_by = NULL, error = NULL WHERE rekey = $1 AND chunk = $2",
      [claimed.rekey, claimed.chunk],
    );
    await settle(sql, clock, [claimed.rekey]);
    return { absent };
  });
  if (stored === undefined) return false;
  await adoptLate(db, claimed.rekey, stored.absent);
  return true;
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

/**
 * Messages, their state, and what is due, in the order of their places in the rekey, which their T has. Returns members
 * who are nowhere present, as far as is known before the commit.
 */
async function insert(
  sql: Sql,
  clock: SqlClock,
  { rekey, chunk }: ClaimedChunk,
  messages: readonly SealedRow[],
): Promise<string[]> {
  const now = clock();
  const octets = messages.map((message) => message.octets);
  // One value, which goes to the server as it is: in an array each octet would be two digits, written and read.
  let end = 0;
  const starts = octets.map(({ length }) => {
    end += length;
    return end - length + 1;
  });
  const { rows } = await sql.query<{ absent: string[] | null }>(
    `WITH m AS (
      SELECT uri, substring($3::bytea FROM start FOR length) AS octets, place
      FROM unnest($2::text[], $5::integer[], $6::integer[]) WITH ORDINALITY AS m (uri, start, length, place)),
    first AS (
      SELECT c.fraction - start.fraction AS place FROM gms_chunk c JOIN gms_chunk start ON start.rekey = c.rekey
      WHERE c.rekey = $1 AND c.chunk = $4 AND start.chunk = 0),
    stored AS (INSERT INTO gms_message (rekey, member_uri, octets) SELECT $1::bigint, uri, octets FROM m),
    stated AS (
      INSERT INTO gms_delivery (rekey, member_uri, state, changed_at) SELECT $1::bigint, uri, 'sealed', ${now} FROM m),
    due AS (
      INSERT INTO gms_due (rekey, member_uri, holder, next_at)
      SELECT $1::bigint, m.uri,
        (SELECT instance FROM gms_presence WHERE member_uri = m.uri ORDER BY instance LIMIT 1),
        ${freshAt(now, "first.place + m.place - 1")}
      FROM m, first RETURNING member_uri, holder),
    told AS (${wakeHolders("due")} UNION ALL ${tellOthers("due")})
    SELECT array_agg(member_uri) FILTER (WHERE holder IS NULL) AS absent FROM due
      CROSS JOIN (SELECT count(*) FROM told) AS all_told`,
    [
      rekey,
      messages.map(({ uri }) => uri),
      concat(...octets),
      chunk,
      starts,
      octets.map(({ length }) => length),
    ],
  );
  return rows[0]?.absent ?? [];
}

export async function release(
  db: Database,
  clock: SqlClock,
  claimed: ClaimedChunk,
  failure: ChunkFailure,
): Promise<void> {
  requireWait(failure.waitMs);
  await db.transaction(async (sql) => {
    if ((await lockClaimed(sql, claimed)) === undefined) return;
    await sql.query(
      `UPDATE gms_chunk SET claimed_by = NULL, due_at = ${clock()} + $3::bigint, error = $4
      WHERE rekey = $1 AND chunk = $2`,
      [claimed.rekey, claimed.chunk, failure.waitMs, storable(failure.error).slice(0, ERROR_LENGTH)],
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
