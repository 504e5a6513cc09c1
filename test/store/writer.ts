/**
 * A process of its own that saves keys on the PGlite folder it is given, and prints each period once it is committed,
 * until it is killed.
 */
import { writeSync } from "node:fs";
import { openDatabase } from "../../store/database/open.ts";
import { ALICE, issuedKey, newMaster, openStore } from "./records.ts";

const db = await openDatabase({ folder: process.argv[2]! });
const store = await openStore(db);
if ((await store.masters()).length === 0) await store.addMaster(newMaster("a", 0));
await store.enrol([ALICE], 1);
const { rows } = await db.query<{ next: number }>(
  "SELECT coalesce(max(period_no), 0) + 1 AS next FROM kms_issued",
);
for (let period = rows[0]!.next; ; period++) {
  await store.saveIssued([issuedKey(ALICE, period)]);
  writeSync(1, `${period}\n`);
}
