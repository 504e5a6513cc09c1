/** Members of groups. */
import type { Sql } from "../database/sql.ts";
import { requireFew, requireLimit, requireMemberUri, requireMs, usage } from "./checks.ts";
import { unknownGroup } from "./groups.ts";
import { MAX_PRIORITY, type MemberKind, type MemberRecord } from "./records.ts";

export interface MemberRow {
  readonly member_uri: string;
  readonly kms_uri: string;
  readonly kind: MemberKind;
  /** Not there where only who gets a message is asked for. */
  readonly priority?: number | null;
  readonly extensions?: readonly object[] | null;
}

/** The columns that are needed to send a message. */
const RECIPIENT = "member_uri, kms_uri, kind";
const COLUMNS = `${RECIPIENT}, priority, extensions`;
const KINDS: readonly MemberKind[] = ["user", "mcx-server", "gms"];

export function memberOf(row: MemberRow): MemberRecord {
  const { member_uri: uri, kms_uri: kmsUri, kind, priority, extensions } = row;
  return {
    uri,
    kmsUri,
    kind,
    ...(priority != null && { priority: Number(priority) }),
    ...(extensions != null && { extensions }),
  };
}

export async function list(
  sql: Sql,
  groupUri: string,
  query: { readonly after?: string; readonly limit: number },
): Promise<MemberRecord[]> {
  requireLimit(query.limit);
  const { rows } = await sql.query<MemberRow>(
    `SELECT ${COLUMNS} FROM gms_member WHERE group_uri = $1 AND member_uri > $2 ORDER BY member_uri LIMIT $3`,
    [groupUri, query.after ?? "", query.limit],
  );
  return rows.map(memberOf);
}

export async function find(sql: Sql, groupUri: string, memberUri: string): Promise<MemberRecord | undefined> {
  const { rows } = await sql.query<MemberRow>(
    `SELECT ${COLUMNS} FROM gms_member WHERE group_uri = $1 AND member_uri = $2`,
    [groupUri, memberUri],
  );
  return rows[0] && memberOf(rows[0]);
}

/** Members of several groups, as they get messages. If an identity occurs in several, the entry of the first group counts. */
export async function union(sql: Sql, groupUris: readonly string[]): Promise<MemberRecord[]> {
  const { rows } = await sql.query<MemberRow>(
    `SELECT DISTINCT ON (member_uri) ${RECIPIENT} FROM gms_member WHERE group_uri = ANY ($1::text[])
    ORDER BY member_uri, group_uri`,
    [groupUris],
  );
  return rows.map(memberOf);
}

export function requireMembers(members: readonly MemberRecord[]): void {
  requireFew(members, "members");
  const seen = new Set<string>();
  for (const { uri, kmsUri, kind, priority = 0 } of members) {
    requireMemberUri(uri);
    requireMemberUri(kmsUri, `KmsUri of ${uri}`);
    if (!KINDS.includes(kind)) throw usage("BAD_MEMBER", `${uri}: kind is ${KINDS.join(" or ")}`);
    if (!Number.isInteger(priority) || priority < 0 || priority > MAX_PRIORITY) {
      throw usage("BAD_MEMBER", `${uri}: priority is from 0 to ${MAX_PRIORITY}`);
    }
    if (seen.has(uri)) throw usage("DUPLICATE_MEMBER", `${uri}: twice among the members`);
    seen.add(uri);
  }
}

export async function insert(
  sql: Sql,
  groupUri: string,
  members: readonly MemberRecord[],
  now: number,
): Promise<void> {
  requireMembers(members);
  requireMs(now, "now");
  const group = await sql.query("SELECT 1 FROM gms_group WHERE uri = $1 FOR UPDATE", [groupUri]);
  if (group.rows.length === 0) throw unknownGroup(groupUri);
  const uris = members.map((m) => m.uri);
  const { rows } = await sql.query<{ member_uri: string }>(
    "SELECT member_uri FROM gms_member WHERE group_uri = $1 AND member_uri = ANY ($2::text[]) LIMIT 1",
    [groupUri, uris],
  );
  if (rows[0] !== undefined) {
    throw usage("MEMBER_EXISTS", `group ${groupUri}: ${rows[0].member_uri} is a member already`);
  }
  await sql.query(
    `INSERT INTO gms_member (group_uri, ${COLUMNS}, joined_at)
    SELECT $1, uri, kms_uri, kind, priority, extensions::jsonb, $2::bigint
    FROM unnest($3::text[], $4::text[], $5::text[], $6::smallint[], $7::text[])
    AS new (uri, kms_uri, kind, priority, extensions)`,
    [groupUri, now, uris, members.map((m) => m.kmsUri), members.map((m) => m.kind), ...detailsOf(members)],
  );
}

/** Changes what a group document says of members who are there. */
export async function describe(sql: Sql, groupUri: string, members: readonly MemberRecord[]): Promise<void> {
  requireMembers(members);
  await sql.query(
    `UPDATE gms_member SET priority = new.priority, extensions = new.extensions::jsonb
    FROM unnest($2::text[], $3::smallint[], $4::text[]) AS new (uri, priority, extensions)
    WHERE group_uri = $1 AND member_uri = new.uri
    AND (gms_member.priority IS DISTINCT FROM new.priority OR gms_member.extensions IS DISTINCT FROM new.extensions::jsonb)`,
    [groupUri, members.map((m) => m.uri), ...detailsOf(members)],
  );
}

function detailsOf(members: readonly MemberRecord[]): [(number | null)[], (string | null)[]] {
  return [
    members.map(({ priority }) => priority ?? null),
    members.map(({ extensions }) => (extensions === undefined ? null : JSON.stringify(extensions))),
  ];
}

export async function remove(sql: Sql, groupUri: string, uris: readonly string[]): Promise<number> {
  const { affected } = await sql.query(
    "DELETE FROM gms_member WHERE group_uri = $1 AND member_uri = ANY ($2::text[])",
    [groupUri, uris],
  );
  return affected;
}

export async function setKms(sql: Sql, memberUri: string, kmsUri: string): Promise<void> {
  requireMemberUri(kmsUri, `KmsUri of ${memberUri}`);
  await sql.query("UPDATE gms_member SET kms_uri = $2 WHERE member_uri = $1", [memberUri, kmsUri]);
}
