/**
 * Saving keys and changing the rules under which they are saved (masters, revocations) exclude each other. Held
 * to the end of the transaction: a statement after it sees all that was committed by those who held it before.
 */
import type { Sql } from "../database/sql.ts";

/** Any number of processes at a time. */
export async function lockForSaving(sql: Sql): Promise<void> {
  await sql.query("LOCK TABLE kms_issuing IN ROW SHARE MODE");
}

export async function lockForChange(sql: Sql): Promise<void> {
  await sql.query("LOCK TABLE kms_issuing IN EXCLUSIVE MODE");
}
