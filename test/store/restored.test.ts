/** Tests what a restored database does not take or give again, since the server that was lost may have. */
import { expect, it } from "vitest";
import { loadSnapshot } from "../../store/backup/load.ts";
import { Envelope } from "../../store/database/envelope.ts";
import { writeSnapshot } from "../../store/database/snapshot.ts";
import type { Database } from "../../store/database/sql.ts";
import { McxStore } from "../../store/mcx/mcx-store.ts";
import { onEachDatabase } from "../support/databases.ts";
import { dropTables } from "../support/empty-pglite.ts";
import { seededRandom } from "../support/random.ts";
import * as gms from "./gms/records.ts";
import { certificate, KEK, newMaster, openStore } from "./records.ts";

async function snapshotOf(db: Database): Promise<string[]> {
  const lines: string[] = [];
  await writeSnapshot(db, async (text) => void lines.push(...text.trimEnd().split("\n")));
  return lines;
}

async function* each(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}

async function restored(db: Database, lines: readonly string[]): Promise<number> {
  await dropTables(db);
  return (await loadSnapshot(db, each(lines))).restoredAt;
}

onEachDatabase("a restored database", ({ fresh }) => {
  it("a restored database refuses what was made before it, and gives higher numbers", async () => {
    const db = await fresh();
    const store = await openStore(db);
    await store.addMaster(newMaster("a", 0));
    await store.putOtherCertificate(certificate("x", { kmsUri: "kms.away.example" }), "external");
    await store.audit({ at: 1, actor: "op", action: "x", outcome: "ok" });
    const { cacheNum } = await store.certificates();
    const at = await restored(db, await snapshotOf(db));
    const again = await openStore(db);
    expect((await again.certificates()).cacheNum).toBeGreaterThan(cacheNum);
    const digest = (n: number) => seededRandom(`digest ${n}`)(32);
    expect(await again.remember(digest(1), at + 600_000, at - 1)).toBe(false);
    expect(await again.remember(digest(1), at + 600_000, at)).toBe(true);
    await again.audit({ at: 2, actor: "op", action: "y", outcome: "ok" });
    const audit = await again.auditLog({ limit: 10 });
    expect(audit.map(({ action }) => action)).toEqual(["x", "restore", "y"]);
    expect(audit[1]!.id).toBeGreaterThan(1_000_000);
    const mcx = McxStore.open(db, await Envelope.open(db, KEK));
    expect((await mcx.restored())?.restoredAt).toBe(at);
  });

  it("a restored database plans a revocation anew if its messages were not sealed, and keeps it if they were", async () => {
    const db = await fresh();
    const store = await gms.openStore(db);
    const revoked = async (groupUri: string, gmkId: number, seal: boolean) => {
      const { gmk } = await gms.started(store, { groupUri, gmkId, who: gms.members(2, 10 * gmkId) });
      await gms.sealAll(store);
      await store.change(async (tx) => {
        await tx.setGmkState([gmk.id], "revoked");
        await gms.planned(tx, gmk, gms.members(2, 10 * gmkId), { kind: "revoke" });
      });
      if (seal) await gms.sealAll(store);
      return gmk.id;
    };
    const sealed = await revoked(gms.G2, 2, true);
    const open = await revoked(gms.G1, 1, false);
    const at = await restored(db, await snapshotOf(db));
    const again = await gms.openStore(db);
    expect(await again.gmk(sealed)).toMatchObject({ state: "revoked" });
    expect(await again.gmk(open)).toMatchObject({ state: "retired", revokeAt: at });
    await again.change(async (tx) =>
      expect(await tx.claimEndingGmks(at, 10)).toEqual([{ gmk: open, actor: "restore" }]),
    );
  });

  it("a restore refuses tables that exist, and a stream that does not end", async () => {
    const db = await fresh();
    const lines = await snapshotOf(db);
    await expect(loadSnapshot(db, each(lines))).rejects.toMatchObject({ code: "TARGET_NOT_EMPTY" });
    await dropTables(db);
    const newer = lines.map((line, i) => (i === 0 ? '["schema",1000,1]' : line));
    const foreign = [lines[0]!, '["table","kms_nothing"]', ...lines.slice(1)];
    for (const [changed, code] of [
      [lines.slice(0, -1), "BACKUP_DAMAGED"],
      [lines.slice(1), "BACKUP_DAMAGED"],
      [foreign, "BACKUP_DAMAGED"],
      [newer, "STORE_TOO_NEW"],
    ] as const) {
      await expect(loadSnapshot(db, each(changed))).rejects.toMatchObject({ code });
    }
    // Nothing of these is left.
    await loadSnapshot(db, each(lines));
  });
});
