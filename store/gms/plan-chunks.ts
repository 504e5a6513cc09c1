/** Members of a new rekey, as chunks that wait to be sealed. */
import type { Sql } from "../database/sql.ts";
import type { SqlClock } from "../database/sql-clock.ts";
import { toColumns } from "./clock.ts";
import { PLANNED } from "./notices.ts";
import { freshAt } from "./queue-times.ts";
import type { NewRekey } from "./records.ts";

/** One statement for all chunks: the arrays are cut to slices by the database. */
export async function planChunks(
  sql: Sql,
  clock: SqlClock,
  rekey: number,
  { time, members, chunkSize }: NewRekey,
): Promise<void> {
  const { seconds, fraction } = toColumns(time);
  const slice = (parameter: string) => `(${parameter})[c * $2::integer + 1 : (c + 1) * $2::integer]`;
  await sql.query(
    `INSERT INTO gms_chunk (rekey, chunk, state, uris, kms_uris, kinds, csb_ids, size, seconds, fraction, due_at)
    SELECT $1::bigint, c, 'planned', ${slice("$5::text[]")}, ${slice("$6::text[]")}, ${slice("$7::text[]")},
      ${slice("$8::bigint[]")}, cardinality(${slice("$5::text[]")}), $3::bigint, $4::bigint + c * $2::integer,
      ${freshAt(clock(), "c")}
    FROM generate_series(0, (cardinality($5::text[]) - 1) / $2::integer) AS c`,
    [
      rekey,
      chunkSize,
      seconds,
      fraction,
      members.map((m) => m.uri),
      members.map((m) => m.kmsUri),
      members.map((m) => m.kind),
      members.map((m) => m.csbId),
    ],
  );
  await sql.query(PLANNED);
}
