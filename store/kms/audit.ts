/**
 * The audit log: which keys were issued to which user, and what was refused. Entries are added and read, never changed;
 * they go when they are old.
 */

import { auditDetail, auditName, auditNameOrNull } from "../database/audit-bounds.ts";
import type { Sql } from "../database/sql.ts";
import type { AuditEntry, AuditQuery, AuditRecord } from "./records.ts";

interface AuditRow {
  readonly id: number;
  readonly at: number;
  readonly actor: string;
  readonly action: string;
  readonly user_uri: string | null;
  readonly period_no: number | null;
  readonly outcome: "ok" | "refused";
  readonly code: string | null;
  readonly request_id: string | null;
  readonly detail: Record<string, unknown> | null;
}

export async function append(sql: Sql, entries: readonly AuditEntry[]): Promise<void> {
  if (entries.length === 0) return;
  await sql.query(
    `INSERT INTO kms_audit (at, actor, action, user_uri, period_no, outcome, code, request_id, detail)
    SELECT at, actor, action, user_uri, period_no, outcome, code, request_id, detail::jsonb
    FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[],
      $9::text[]) WITH ORDINALITY
      AS e (at, actor, action, user_uri, period_no, outcome, code, request_id, detail, place)
    ORDER BY place`,
    [
      entries.map((e) => e.at),
      entries.map((e) => auditName(e.actor)),
      entries.map((e) => e.action),
      entries.map((e) => auditNameOrNull(e.userUri)),
      entries.map((e) => e.periodNo ?? null),
      entries.map((e) => e.outcome),
      entries.map((e) => e.code ?? null),
      entries.map((e) => auditNameOrNull(e.requestId)),
      entries.map((e) => auditDetail(e.detail)),
    ],
  );
}

export async function list(sql: Sql, query: AuditQuery): Promise<AuditRecord[]> {
  const { after = 0, limit, userUri } = query;
  const { rows } = await sql.query<AuditRow>(
    `SELECT * FROM kms_audit WHERE id > $1 ${userUri === undefined ? "" : "AND user_uri = $3"}
    ORDER BY id LIMIT $2`,
    [after, limit, ...(userUri === undefined ? [] : [auditName(userUri)])],
  );
  return rows.map((row) => ({
    id: row.id,
    at: row.at,
    actor: row.actor,
    action: row.action,
    ...(row.user_uri === null ? {} : { userUri: row.user_uri }),
    ...(row.period_no === null ? {} : { periodNo: row.period_no }),
    outcome: row.outcome,
    ...(row.code === null ? {} : { code: row.code }),
    ...(row.request_id === null ? {} : { requestId: row.request_id }),
    ...(row.detail === null ? {} : { detail: row.detail }),
  }));
}

/** Deletes old entries, and unauthenticated refusals after a shorter time: at most `limit`. Returns how many. */
export async function purge(
  sql: Sql,
  { before, anonymousBefore, limit }: { before: number; anonymousBefore: number; limit: number },
): Promise<number> {
  const { affected } = await sql.query(
    `DELETE FROM kms_audit WHERE id IN (
      SELECT id FROM kms_audit WHERE at < $1 OR at < $2 AND outcome = 'refused' AND actor = 'anonymous'
      ORDER BY at LIMIT $3)`,
    [before, anonymousBefore, limit],
  );
  return affected;
}
