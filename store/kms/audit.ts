/** The audit log: what was issued to whom, and what was refused. Entries are added and read, never changed. */
import type { Sql } from "../sql.ts";
import { storable, storableJson, storableOrNull } from "../texts.ts";
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
      entries.map((e) => storable(e.actor)),
      entries.map((e) => e.action),
      entries.map((e) => storableOrNull(e.userUri)),
      entries.map((e) => e.periodNo ?? null),
      entries.map((e) => e.outcome),
      entries.map((e) => e.code ?? null),
      entries.map((e) => storableOrNull(e.requestId)),
      entries.map((e) => storableJson(e.detail)),
    ],
  );
}

export async function list(sql: Sql, query: AuditQuery): Promise<AuditRecord[]> {
  const { after = 0, limit, userUri } = query;
  const { rows } = await sql.query<AuditRow>(
    `SELECT * FROM kms_audit WHERE id > $1 ${userUri === undefined ? "" : "AND user_uri = $3"}
    ORDER BY id LIMIT $2`,
    [after, limit, ...(userUri === undefined ? [] : [userUri])],
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
