/**
 * The audit log: who changed what, who read what, and what was refused. Entries are added and read, never
 * changed; they go when they are old.
 */

import { auditDetail, auditName, auditNameOrNull } from "../database/audit-bounds.ts";
import type { Sql } from "../database/sql.ts";
import { requireFew, requireLimit } from "./checks.ts";
import type { GmsAuditEntry, GmsAuditQuery, GmsAuditRecord } from "./records.ts";

interface AuditRow {
  readonly id: number;
  readonly at: number;
  readonly actor: string;
  readonly action: string;
  readonly group_uri: string | null;
  readonly outcome: "ok" | "refused";
  readonly code: string | null;
  readonly detail: Record<string, unknown> | null;
}

export async function append(sql: Sql, entries: readonly GmsAuditEntry[]): Promise<void> {
  if (entries.length === 0) return;
  requireFew(entries, "audit entries");
  await sql.query(
    `INSERT INTO gms_audit (at, actor, action, group_uri, outcome, code, detail)
    SELECT at, actor, action, group_uri, outcome, code, detail::jsonb
    FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
      WITH ORDINALITY AS e (at, actor, action, group_uri, outcome, code, detail, place)
    ORDER BY place`,
    [
      entries.map((e) => e.at),
      entries.map((e) => auditName(e.actor)),
      entries.map((e) => e.action),
      entries.map((e) => auditNameOrNull(e.groupUri)),
      entries.map((e) => e.outcome),
      entries.map((e) => e.code ?? null),
      entries.map((e) => auditDetail(e.detail)),
    ],
  );
}

export async function list(sql: Sql, query: GmsAuditQuery): Promise<GmsAuditRecord[]> {
  const { after = 0, limit, groupUri, actor, outcome } = query;
  requireLimit(limit);
  const { rows } = await sql.query<AuditRow>(
    `SELECT * FROM gms_audit WHERE id > $1
      AND ($3::text IS NULL OR group_uri = $3) AND ($4::text IS NULL OR actor = $4)
      AND ($5::text IS NULL OR outcome = $5)
    ORDER BY id LIMIT $2`,
    [after, limit, auditNameOrNull(groupUri), auditNameOrNull(actor), outcome ?? null],
  );
  return rows.map((row) => ({
    id: row.id,
    at: row.at,
    actor: row.actor,
    action: row.action,
    ...(row.group_uri === null ? {} : { groupUri: row.group_uri }),
    outcome: row.outcome,
    ...(row.code === null ? {} : { code: row.code }),
    ...(row.detail === null ? {} : { detail: row.detail }),
  }));
}

/** Deletes old entries, and unauthenticated refusals after a shorter time: at most `limit`. Returns how many. */
export async function purge(
  sql: Sql,
  { before, anonymousBefore, limit }: { before: number; anonymousBefore: number; limit: number },
): Promise<number> {
  requireLimit(limit);
  const { affected } = await sql.query(
    `DELETE FROM gms_audit WHERE id IN (
      SELECT id FROM gms_audit WHERE at < $1
        OR at < $2 AND outcome = 'refused' AND (actor = 'anonymous' OR detail @> '{"claimed": true}')
      ORDER BY at LIMIT $3)`,
    [before, anonymousBefore, limit],
  );
  return affected;
}
