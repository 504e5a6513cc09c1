/** A backup that was made while groups changed, put back after the server went on and was lost. */

import { expect, it } from "vitest";
import { ntpUnfold } from "../../bindings/identity/ntp.ts";
import { operator } from "../../roles/gms/common/caller.ts";
import { loadSnapshot } from "../../store/backup/load.ts";
import { writeSnapshot } from "../../store/database/snapshot.ts";
import type { Sql } from "../../store/database/sql.ts";
import { givenClock } from "../../store/database/sql-clock.ts";
import { fromColumns } from "../../store/gms/clock.ts";
import { onEachDatabase } from "../support/databases.ts";
import { dropTables } from "../support/empty-pglite.ts";
import { makeCore, makeWorld, memberUri, newMembers, sealAll } from "./memory-gms.ts";

const GROUPS = ["sip:fire@home.example", "sip:police@home.example", "sip:rescue@home.example"];
const MEMBERS = 3;
/** Rekeys while the backup is made, and after it. */
const CHANGES = 5;
const TIMEOUT = 120_000;

interface Sent {
  readonly gmkIds: Set<number>;
  readonly times: Set<bigint>;
  readonly numbers: { audit: number; rekey: number };
}

/** All that a server has given so far, by its own tables. */
async function sentOf(db: Sql): Promise<Sent> {
  const gmks = await db.query<{ gmk_id: number }>("SELECT gmk_id FROM gms_gmk");
  const chunks = await db.query<{ seconds: number; fraction: number; n: number }>(
    "SELECT seconds, fraction, cardinality(uris) AS n FROM gms_chunk WHERE state = 'sealed'",
  );
  const numbers = await db.query<{ audit: number; rekey: number }>(
    "SELECT (SELECT max(id) FROM gms_audit) AS audit, (SELECT max(id) FROM gms_rekey) AS rekey",
  );
  return {
    gmkIds: new Set(gmks.rows.map(({ gmk_id }) => gmk_id)),
    times: new Set(
      chunks.rows.flatMap((row) =>
        Array.from({ length: row.n }, (_, i) => ntpUnfold(fromColumns(row)) + BigInt(i)),
      ),
    ),
    numbers: numbers.rows[0]!,
  };
}

async function* each(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}

onEachDatabase("a backup under load", ({ fresh }) => {
  it("a GMS backup shows one moment, and once restored every member gets a new key and nothing comes twice", {
    timeout: TIMEOUT,
  }, async () => {
    const db = await fresh();
    const lines: string[] = [];
    const lost = await (async () => {
      const world = await makeWorld({ database: db, members: MEMBERS });
      const core = makeCore(world);
      const { admin } = core.context;
      for (const uri of GROUPS)
        await admin.createGroup(operator("op"), { uri, members: newMembers(MEMBERS) });
      await sealAll(core);
      // Planned and not sealed when the backup is made.
      await admin.rekey(operator("op"), GROUPS[0]!);
      const change = async (i: number) => {
        world.clock.now += 1000;
        await admin.rekey(operator("op"), GROUPS[i % GROUPS.length]!);
      };
      const changes = (async () => {
        for (let i = 0; i < CHANGES; i++) await change(i);
      })();
      await writeSnapshot(db, async (text) => void lines.push(...text.trimEnd().split("\n")));
      await changes;
      // The last of which the backup knows nothing, with a T that is as far ahead as a server lets it be.
      await db.query("UPDATE gms_clock SET seconds = seconds + 50");
      for (let i = 0; i < CHANGES; i++) await change(i);
      await sealAll(core);
      const sent = await sentOf(db);
      const held = new Map<string, number>();
      for (let i = 0; i < MEMBERS; i++) {
        for (const { octets } of await world.store.gktpOf(memberUri(i))) {
          const opened = await world.open(octets, i);
          if (opened.outcome !== "accepted") continue;
          const at = opened.parameters?.activation ?? 0;
          held.set(memberUri(i), Math.max(held.get(memberUri(i)) ?? 0, at));
        }
      }
      await world.close();
      return { sent, held, now: world.clock.now };
    })();

    await dropTables(db);
    const clock = givenClock(() => lost.now);
    const { rows } = await loadSnapshot(db, each(lines), { clock });
    expect(rows).toBe(lines.filter((line) => line.startsWith("{")).length);

    const world = await makeWorld({ database: db, members: MEMBERS, now: lost.now + 2000 });
    const core = makeCore(world);
    const before = new Set((await world.store.rekeys({ limit: 1000 })).map(({ id }) => id));
    await core.schedule.tick();
    await sealAll(core);
    const made = (await world.store.rekeys({ limit: 1000 })).filter(({ id }) => !before.has(id));
    expect(made.map(({ groups, cause, total }) => [...groups, cause, total]).sort()).toEqual(
      GROUPS.map((uri) => [uri, "restored from a backup", MEMBERS]).sort(),
    );
    // Every member has them, newer than what it was given by the server that was lost.
    for (let i = 0; i < MEMBERS; i++) {
      const messages = (await world.store.gktpOf(memberUri(i))).filter(({ rekey }) => !before.has(rekey));
      expect(messages).toHaveLength(GROUPS.length);
      for (const { octets } of messages) {
        const opened = await world.open(octets, i);
        expect(opened.outcome).toBe("accepted");
        expect(made.map(({ gmkId }) => gmkId)).toContain(opened.keyId);
        expect(opened.parameters?.activation).toBeGreaterThan(lost.held.get(memberUri(i))!);
      }
    }
    // Nothing comes a second time: no GMK-ID, no T of a message, no number of an audit entry or a rekey.
    for (const { gmkId, id } of made) {
      expect(lost.sent.gmkIds.has(gmkId)).toBe(false);
      expect(id).toBeGreaterThan(lost.sent.numbers.rekey);
    }
    const latest = [...lost.sent.times].reduce((a, b) => (a > b ? a : b));
    const chunks = await db.query<{ rekey: number; seconds: number; fraction: number }>(
      "SELECT rekey, seconds, fraction FROM gms_chunk WHERE state <> 'superseded'",
    );
    for (const chunk of chunks.rows) {
      if (before.has(chunk.rekey)) continue;
      expect(ntpUnfold(fromColumns(chunk))).toBeGreaterThan(latest);
    }
    expect(await world.store.auditLog({ limit: 1000, after: lost.sent.numbers.audit })).not.toEqual([]);
    // It is the way of a restored database once: after that the groups are as others.
    world.clock.now += 120_000;
    await core.schedule.tick();
    expect((await world.store.rekeys({ limit: 1000 })).length).toBe(before.size + made.length);
    await world.close();
  });
});
