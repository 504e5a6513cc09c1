/** The content of a member's GKTP document. */
import type { Sql } from "../database/sql.ts";
import { requireFew } from "./checks.ts";
import type { DeliveryState, GktpRecord, RekeyKind } from "./records.ts";

/**
 * The newest message of each sort for a GMK: a renewal takes the place of the message before it. Parameters: URIs of
 * members, URI of a group or null.
 */
const newest = (columns: string) => `SELECT DISTINCT ON (d.member_uri, r.gmk) ${columns}
  FROM gms_delivery d JOIN gms_rekey r ON r.id = d.rekey JOIN gms_gmk g ON g.id = r.gmk
  WHERE d.member_uri = ANY ($1::text[]) AND d.state <> 'superseded'
    AND (g.state = 'live' AND r.kind <> 'revoke' OR g.state = 'revoked' AND r.kind = 'revoke')
    AND ($2::text IS NULL OR r.groups @> ARRAY[$2::text])
  ORDER BY d.member_uri, r.gmk, d.rekey DESC`;

interface GktpRow {
  readonly member_uri: string;
  readonly rekey: number;
  readonly kind: RekeyKind;
  readonly gmk_id: number;
  readonly groups: string[];
  readonly activation: number;
  readonly state: DeliveryState;
  readonly traceparent: string | null;
  readonly octets: Uint8Array;
}

export async function ofMember(
  sql: Sql,
  memberUri: string,
  groupUri: string | undefined,
): Promise<GktpRecord[]> {
  return (await read(sql, [memberUri], groupUri)).get(memberUri)!;
}

/** Documents of these members, including members without entries. */
export function ofMembers(sql: Sql, memberUris: readonly string[]): Promise<Map<string, GktpRecord[]>> {
  requireFew(memberUris, "members");
  return read(sql, memberUris, undefined);
}

async function read(
  sql: Sql,
  memberUris: readonly string[],
  groupUri: string | undefined,
): Promise<Map<string, GktpRecord[]>> {
  const columns = "d.member_uri, d.rekey, r.kind, g.gmk_id, r.groups, g.activation, d.state, r.traceparent";
  const { rows } = await sql.query<GktpRow>(
    `SELECT entry.*, m.octets FROM (${newest(columns)}) AS entry
      JOIN gms_message m ON m.rekey = entry.rekey AND m.member_uri = entry.member_uri ORDER BY entry.rekey`,
    [memberUris, groupUri ?? null],
  );
  const out = new Map<string, GktpRecord[]>(memberUris.map((uri) => [uri, []]));
  for (const row of rows) {
    out.get(row.member_uri)!.push({
      rekey: row.rekey,
      memberUri: row.member_uri,
      kind: row.kind,
      gmkId: row.gmk_id,
      groups: row.groups,
      activation: row.activation,
      state: row.state,
      traceparent: row.traceparent ?? undefined,
      octets: row.octets,
    });
  }
  return out;
}

export async function stamps(
  sql: Sql,
  memberUris: readonly string[],
  groupUri: string | undefined,
): Promise<Map<string, string>> {
  requireFew(memberUris, "members");
  const { rows } = await sql.query<{ member_uri: string; stamp: string }>(
    `SELECT member_uri, string_agg(rekey || ' ' || kind, ',' ORDER BY rekey) AS stamp
    FROM (${newest("d.member_uri, d.rekey, r.kind")}) AS entry GROUP BY member_uri`,
    [memberUris, groupUri ?? null],
  );
  const out = new Map(memberUris.map((uri) => [uri, ""]));
  for (const { member_uri, stamp } of rows) out.set(member_uri, stamp);
  return out;
}
