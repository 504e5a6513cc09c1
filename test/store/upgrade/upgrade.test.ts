/**
 * Databases of earlier versions carried forward: in place by the next start, and out of a backup. `VERSION.jsonl` are the rows
 * that the program of that version wrote, as `row_to_json` gave them.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { loadSnapshot } from "../../../store/backup/load.ts";
import { migrate } from "../../../store/database/migrate.ts";
import { isRow } from "../../../store/database/snapshot-lines.ts";
import type { Database } from "../../../store/database/sql.ts";
import { GmsStore } from "../../../store/gms/gms-store.ts";
import { MIGRATIONS } from "../../../store/migrations/index.ts";
import { onEachDatabase } from "../../support/databases.ts";
import { dropTables } from "../../support/empty-pglite.ts";
import { seededRandom } from "../../support/random.ts";
import * as gms from "../gms/records.ts";
import { ALICE, BOB, issuedKey, newMaster, openStore } from "../records.ts";

const RELEASES = [{ version: "0.1.0", tables: 3 }];

const linesOf = (version: string) =>
  readFileSync(new URL(`${version}.jsonl`, import.meta.url), "utf8")
    .trimEnd()
    .split("\n");

async function* each(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}

/** Fills the database with the tables and rows that the program of that version left. */
async function asItWas(db: Database, version: string, tables: number): Promise<void> {
  await migrate(db, MIGRATIONS.slice(0, tables));
  let table = "";
  for (const line of linesOf(version)) {
    if (isRow(line)) {
      await db.query(
        `INSERT INTO ${table} OVERRIDING SYSTEM VALUE SELECT * FROM json_populate_record(NULL::${table}, $1::json)`,
        [line],
      );
      continue;
    }
    const [what, value] = JSON.parse(line) as [string, string];
    if (what !== "table") continue;
    table = value;
    // First rows of a migration.
    await db.query(`DELETE FROM ${table}`);
  }
}

async function shapeOf(db: Database): Promise<unknown[]> {
  const { rows } = await db.query(
    `SELECT table_name::text AS t, column_name::text AS c, data_type::text AS d, is_nullable::text AS n, column_default::text AS v
    FROM information_schema.columns WHERE table_schema = current_schema() ORDER BY 1, 2`,
  );
  const indexes = await db.query(
    "SELECT indexdef::text AS i FROM pg_indexes WHERE schemaname = current_schema() ORDER BY 1",
  );
  return [...rows, ...indexes.rows];
}

/** All that was in it is there, and opens with its store key. */
async function expectAll(db: Database): Promise<void> {
  const kms = await openStore(db);
  const master = newMaster("a", 0);
  expect(await kms.masters()).toMatchObject([{ certificate: master.certificate, fromPeriod: 0 }]);
  expect(await kms.masterSecrets(1)).toEqual(master.secrets);
  expect(await kms.issuedKeys(ALICE, [1, 2])).toEqual([1, 2].map((period) => issuedKey(ALICE, period)));
  expect(await kms.user(BOB)).toMatchObject({ uri: BOB, revokedAt: 2, reason: "radio lost" });
  expect(await kms.transportKeys(ALICE)).toMatchObject([
    { id: "trk1", kind: "TrK", state: "active", key: seededRandom("trk")(16) },
  ]);
  expect((await kms.otherCertificates()).certificates).toMatchObject([
    { kind: "external", certificate: { kmsUri: "kms.away.example" } },
  ]);
  expect((await kms.auditLog({ limit: 10 }))[0]).toMatchObject({
    id: 1,
    action: "user-revoke",
    userUri: BOB,
  });
  const store = await gms.openStore(db);
  expect(store).toBeInstanceOf(GmsStore);
  expect(await store.counts()).toMatchObject({ groups: 1, members: 6 });
  const [gmk] = await store.gmks(gms.G1);
  const { key, rand } = gms.newGmk(1);
  await store.change(async (tx) => expect(await tx.gmkSecret(gmk!.id)).toEqual({ key, rand }));
  const uri = gms.members(1)[0]!.uri;
  expect((await store.gktpOf(uri))[0]!.octets).toEqual(gms.messageOf(1, uri));
  const random = seededRandom("trk");
  random(16);
  expect(await store.secrets.get("keys/1")).toEqual(random(40));
}

onEachDatabase("data of an earlier version", ({ fresh }) => {
  describe.each(RELEASES)("a database of version $version", ({ version, tables }) => {
    it("is brought up to date in place, by all steps at once or one after the other", async () => {
      const db = await fresh();
      const now = await shapeOf(db);
      for (const steps of [[MIGRATIONS.length], MIGRATIONS.map((_, i) => i + 1)]) {
        await dropTables(db);
        await asItWas(db, version, tables);
        for (const step of steps.filter((n) => n >= tables)) await migrate(db, MIGRATIONS.slice(0, step));
        expect(await shapeOf(db)).toEqual(now);
        await expectAll(db);
        const store = await gms.openStore(db);
        expect(await store.rekey(1)).toMatchObject({ state: "running", counts: { sealed: 4, planned: 2 } });
        expect(await store.restored()).toBeUndefined();
      }
    });

    it("is restored from a backup", async () => {
      const db = await fresh();
      const now = await shapeOf(db);
      await dropTables(db);
      await loadSnapshot(db, each(linesOf(version)));
      expect(await shapeOf(db)).toEqual(now);
      await expectAll(db);
      const store = await gms.openStore(db);
      // Messages that were not sealed yet have a T that may have been used since.
      expect(await store.rekey(1)).toMatchObject({ counts: { sealed: 4, planned: 0, superseded: 2 } });
      expect((await store.gmks(gms.G1))[0]).toMatchObject({ state: "live", restored: true });
    });
  });
});
