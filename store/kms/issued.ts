/** Keys that were issued. One identity and period has one key set, however many processes issue. */
import { concat, wipe } from "../../base/bytes.ts";
import { MikeySakkeError, requireBytes } from "../../base/errors.ts";
import type { Envelope } from "../database/envelope.ts";
import type { Database, Sql } from "../database/sql.ts";
import { lockForSaving } from "./issuing-lock.ts";
import type { IssuedKey } from "./records.ts";

const RSK_BYTES = 257;
const SSK_BYTES = 32;
/** Rows in one statement. */
const SLICE = 1024;

interface KeyOf {
  readonly userUri: string;
  readonly periodNo: number;
}

/** A sealed key opens in the row it was made for only. */
const label = (masterId: number, periodNo: number, userUri: string) =>
  `kms issued ${masterId} ${periodNo} ${userUri}`;

interface IssuedRow {
  readonly at: number;
  readonly master_id: number;
  readonly user_uri: string;
  readonly period_no: number;
  readonly uid: Uint8Array;
  readonly pvt: Uint8Array;
  readonly sealed: Uint8Array;
  readonly issued_at: number;
}

function record(envelope: Envelope, row: IssuedRow): IssuedKey {
  const plain = envelope.open(label(row.master_id, row.period_no, row.user_uri), row.sealed);
  const keys = { rsk: plain.slice(0, RSK_BYTES), ssk: plain.slice(RSK_BYTES) };
  wipe(plain);
  return {
    masterId: row.master_id,
    userUri: row.user_uri,
    periodNo: row.period_no,
    uid: row.uid,
    ...keys,
    pvt: row.pvt,
    issuedAt: row.issued_at,
  };
}

export async function ofUser(
  sql: Sql,
  envelope: Envelope,
  userUri: string,
  periods: readonly number[],
): Promise<IssuedKey[]> {
  const found = await ofRequests(
    sql,
    envelope,
    [...new Set(periods)].sort((a, b) => a - b).map((periodNo) => ({ userUri, periodNo })),
  );
  return found.filter((key) => key !== undefined);
}

export async function ofRequests(
  sql: Sql,
  envelope: Envelope,
  requests: readonly KeyOf[],
): Promise<(IssuedKey | undefined)[]> {
  const out: (IssuedKey | undefined)[] = requests.map(() => undefined);
  const { rows } = await sql.query<IssuedRow>(
    `SELECT r.at, i.* FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS r (user_uri, period_no, at)
    JOIN kms_issued i ON i.period_no = r.period_no AND i.user_uri = r.user_uri`,
    [requests.map((r) => r.userUri), requests.map((r) => r.periodNo)],
  );
  for (const row of rows) out[row.at - 1] = record(envelope, row);
  return out;
}

export function save(
  db: Database,
  envelope: Envelope,
  records: readonly IssuedKey[],
  audit: { readonly actor: string; readonly requestId?: string } | undefined,
): Promise<{ saved: number }> {
  for (const { rsk, ssk } of records) {
    requireBytes(rsk, "RSK", RSK_BYTES);
    requireBytes(ssk, "SSK", SSK_BYTES);
  }
  // In one order in every process, or two of them would wait for each other's rows in a circle.
  const sorted = [...records].sort(byKey).map((r) => ({ ...r, sealed: sealed(envelope, r) }));
  return db.transaction(async (sql) => {
    await lockForSaving(sql);
    await checkMasters(sql, sorted);
    let saved = 0;
    for (let at = 0; at < sorted.length; at += SLICE) {
      const slice = sorted.slice(at, at + SLICE);
      await checkUsers(sql, slice);
      const fresh = await insert(sql, slice, audit);
      if (fresh < slice.length) await checkSame(sql, slice);
      saved += fresh;
    }
    return { saved };
  });
}

function byKey(a: IssuedKey, b: IssuedKey): number {
  return a.periodNo - b.periodNo || (a.userUri < b.userUri ? -1 : a.userUri > b.userUri ? 1 : 0);
}

function sealed(envelope: Envelope, { masterId, periodNo, userUri, rsk, ssk }: IssuedKey): Uint8Array {
  const plain = concat(rsk, ssk);
  const value = envelope.seal(label(masterId, periodNo, userUri), plain);
  wipe(plain);
  return value;
}

/** Each key must come from the newest master whose periods have begun, as `masterOf` says. */
async function checkMasters(sql: Sql, records: readonly IssuedKey[]): Promise<void> {
  const { rows: masters } = await sql.query<{ id: number; from_period: number; revoked: boolean }>(
    "SELECT id, from_period, revoked FROM kms_master ORDER BY id DESC",
  );
  for (const { masterId, periodNo } of records) {
    const current = masters.find((m) => m.from_period <= periodNo);
    if (current?.id !== masterId) {
      const text = `keys of period ${periodNo} come from master ${current?.id ?? "none"}, not ${masterId}`;
      throw new MikeySakkeError("usage", "MASTER_REPLACED", text);
    }
    if (current.revoked) {
      throw new MikeySakkeError("usage", "MASTER_REVOKED", `master ${masterId}: its certificate is revoked`);
    }
  }
}

async function checkUsers(sql: Sql, records: readonly IssuedKey[]): Promise<void> {
  const { rows } = await sql.query<{ uri: string; revoked: boolean }>(
    `SELECT r.uri, u.uri IS NOT NULL AS revoked FROM unnest($1::text[]) AS r (uri)
    LEFT JOIN kms_user u ON u.uri = r.uri WHERE u.uri IS NULL OR u.revoked_at IS NOT NULL LIMIT 1`,
    [records.map((r) => r.userUri)],
  );
  const bad = rows[0];
  if (bad === undefined) return;
  throw bad.revoked
    ? new MikeySakkeError("usage", "USER_REVOKED", `user ${bad.uri}: revoked`)
    : new MikeySakkeError("usage", "USER_UNKNOWN", `user ${bad.uri}: not enrolled`);
}

type SealedKey = IssuedKey & { readonly sealed: Uint8Array };

/** Returns how many were new. A row that another process is just writing is waited for. */
async function insert(
  sql: Sql,
  records: readonly SealedKey[],
  audit: { readonly actor: string; readonly requestId?: string } | undefined,
): Promise<number> {
  const columns = "period_no, user_uri, master_id, uid, pvt, sealed, issued_at";
  const statement = `INSERT INTO kms_issued (${columns})
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::integer[], $4::bytea[], $5::bytea[], $6::bytea[], $7::bigint[])
    ON CONFLICT (period_no, user_uri) DO NOTHING`;
  const params: unknown[] = [
    records.map((r) => r.periodNo),
    records.map((r) => r.userUri),
    records.map((r) => r.masterId),
    records.map((r) => r.uid),
    records.map((r) => r.pvt),
    records.map((r) => r.sealed),
    records.map((r) => r.issuedAt),
  ];
  if (audit === undefined) return (await sql.query(statement, params)).affected;
  const logged = `WITH saved AS (${statement} RETURNING user_uri, period_no, issued_at)
    INSERT INTO kms_audit (at, actor, action, user_uri, period_no, outcome, request_id)
    SELECT issued_at, $8::text, 'issue', user_uri, period_no, 'ok', $9::text FROM saved`;
  return (await sql.query(logged, [...params, audit.actor, audit.requestId ?? null])).affected;
}

/** Records that were there already must be the same: a second SSK for an identity and period is never given out. */
async function checkSame(sql: Sql, records: readonly IssuedKey[]): Promise<void> {
  const { rows } = await sql.query<KeyOf & { user_uri: string; period_no: number }>(
    `SELECT i.user_uri, i.period_no
    FROM unnest($1::bigint[], $2::text[], $3::integer[], $4::bytea[]) AS r (period_no, user_uri, master_id, pvt)
    JOIN kms_issued i ON i.period_no = r.period_no AND i.user_uri = r.user_uri
    WHERE i.pvt <> r.pvt OR i.master_id <> r.master_id LIMIT 1`,
    [
      records.map((r) => r.periodNo),
      records.map((r) => r.userUri),
      records.map((r) => r.masterId),
      records.map((r) => r.pvt),
    ],
  );
  if (rows[0] === undefined) return;
  const text = `user ${rows[0].user_uri}, period ${rows[0].period_no}: other keys were issued before`;
  throw new MikeySakkeError("crypto", "ISSUED_TWICE", text);
}

export async function purgeBefore(sql: Sql, period: number): Promise<number> {
  return (await sql.query("DELETE FROM kms_issued WHERE period_no < $1", [period])).affected;
}
