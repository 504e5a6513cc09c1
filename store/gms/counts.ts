/** Figures of the whole GMS, for metrics. */
import type { Sql } from "../sql.ts";
import type { GmsCounts } from "./records.ts";

export async function counts(sql: Sql): Promise<GmsCounts> {
  const { rows } = await sql.query<GmsCounts>(
    `SELECT (SELECT count(*) FROM gms_group) AS "groups",
      (SELECT count(*) FROM gms_member) AS members,
      (SELECT count(*) FROM gms_rekey WHERE state = 'running') AS "runningRekeys",
      (SELECT count(*) FROM gms_delivery WHERE state = 'sealed')
        + (SELECT coalesce(sum(cardinality(uris) - cardinality(forgotten)), 0)::bigint FROM gms_chunk
          WHERE state = 'planned') AS backlog`,
  );
  return rows[0]!;
}
