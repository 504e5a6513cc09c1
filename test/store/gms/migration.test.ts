/** A database of version 0.1.0, with all that can be under way in it, is carried forward. */
import { expect, it } from "vitest";
import { migrate } from "../../../store/database/migrate.ts";
import type { Database } from "../../../store/database/sql.ts";
import { MIGRATIONS } from "../../../store/migrations/index.ts";
import { onEachDatabase } from "../../support/databases.ts";
import { dropTables } from "../../support/empty-pglite.ts";
import { at, claimant, G1, members, messageOf, NOW, openStore, urisOf } from "./records.ts";

const RELEASED = 3;
const USERS = members(6);
const URIS = urisOf(USERS);
const [A, B, C, D, E, F] = URIS as [string, string, string, string, string, string];

/** Rows as version 0.1.0 wrote them: one rekey, whose first chunk is sealed, with a message in each state. */
async function oldData(db: Database): Promise<void> {
  await dropTables(db);
  await migrate(db, MIGRATIONS.slice(0, RELEASED));
  const settings = JSON.stringify({
    displayName: "g",
    services: [],
    managers: [],
    unprotected: [],
    rekeyOnAdd: true,
  });
  await db.query("INSERT INTO gms_group VALUES ($1, $2::jsonb, 1, $3, NULL)", [G1, settings, NOW]);
  await db.query(
    `INSERT INTO gms_member SELECT $1, uri, 'kms.home.example', 'user', $3::bigint FROM unnest($2::text[]) AS m (uri)`,
    [G1, URIS, NOW],
  );
  await db.query(
    `INSERT INTO gms_gmk (gmk_id, groups, sealed, activation, text, state, created_at)
    VALUES (7, ARRAY[$1::text], $2, $3::bigint, '', 'live', $3::bigint)`,
    [G1, new Uint8Array(60), NOW],
  );
  await db.query(
    `INSERT INTO gms_rekey (kind, gmk, groups, cause, actor, state, parameters, turn, created_at)
    VALUES ('distribute', 1, ARRAY[$1::text], 'on demand', 'op', 'running', '{}'::jsonb, 3, $2::bigint)`,
    [G1, NOW],
  );
  const chunk = (n: number, state: string, uris: string[], forgotten: string[]) =>
    db.query(
      `INSERT INTO gms_chunk (rekey, chunk, state, uris, kms_uris, kinds, csb_ids, forgotten, seconds, fraction)
      VALUES (1, $1, $2, $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[], 3900000000, 0)`,
      [
        n,
        state,
        uris,
        uris.map(() => "kms.home.example"),
        uris.map(() => "user"),
        uris.map((_, i) => n * 10 + i),
        forgotten,
      ],
    );
  await chunk(0, "sealed", [A, B, C, D], []);
  await chunk(1, "planned", [E, F], [F]);
  const states = ["sealed", "acknowledged", "unreachable", "refused"];
  for (const [i, state] of states.entries()) {
    await db.query(
      `INSERT INTO gms_delivery (rekey, member_uri, state, holder, attempts, next_at, changed_at, status, octets)
      VALUES (1, $1, $2, 'gone', 2, $3::bigint, $3::bigint, 408, $4)`,
      [URIS[i], state, NOW, messageOf(1, URIS[i]!)],
    );
  }
  await db.query("INSERT INTO gms_presence VALUES ($1, 'gone', $2::bigint)", [A, NOW]);
  await db.query("INSERT INTO gms_clock VALUES ('sip:gms@home.example', 3900000000, 5)");
}

onEachDatabase("a database of version 0.1.0", ({ fresh }) => {
  it("a migrated GMS store keeps its messages with their states and tries, and work under way goes on", async () => {
    const db = await fresh();
    await oldData(db);
    await migrate(db);
    const store = await openStore(db);
    expect(await store.counts()).toEqual({
      groups: 1,
      members: 6,
      runningRekeys: 1,
      backlog: 2,
      oldestAt: NOW,
    });
    expect(await store.rekey(1)).toMatchObject({
      total: 5,
      counts: { sealed: 1, acknowledged: 1, unreachable: 1, refused: 1, planned: 1 },
    });
    const listed = await store.deliveries(1, { limit: 10 });
    expect(listed.slice(0, 4)).toMatchObject(
      URIS.slice(0, 4).map((memberUri) => ({ memberUri, attempts: 2 })),
    );
    expect((await store.gktpOf(B))[0]!.octets).toEqual(messageOf(1, B));
    // Nobody is present any more; whoever comes gets what waits for them.
    await store.renewLease("new", 60_000);
    await store.present("new", [A, B, C]);
    const claims = await store.claimDeliveries({ ...claimant("new"), limit: 10 });
    expect(claims.map(({ memberUri, attempts }) => [memberUri, attempts]).sort()).toEqual([
      [A, 3],
      [C, 3],
    ]);
    await store.record([{ rekey: 1, memberUri: A, state: "acknowledged" }]);
    expect(await store.rekey(1)).toMatchObject({ state: "running" });
    await at(NOW + 1, store).change((tx) => tx.supersede([1], NOW + 1));
    expect(await store.counts()).toMatchObject({ runningRekeys: 0, backlog: 0 });
  });
});
