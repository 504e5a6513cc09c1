/** A database that is restored from a backup, while clients went on with what came after the backup. */

import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { operator } from "../../roles/gms/common/caller.ts";
import { gktpEtagOf, groupEtag } from "../../roles/gms/common/etags.ts";
import { migrate } from "../../store/database/migrate.ts";
import { openPglite } from "../../store/database/pglite.ts";
import { KmsStore } from "../../store/index.ts";
import { certificate, newMaster } from "../store/records.ts";
import { makeCore, makeWorld, memberUri, newMembers, sealAll, type World } from "./memory-gms.ts";

const GROUP = "sip:fire@home.example";
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "restored-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Does something with the database of a folder, which is closed after it. */
async function at<T>(name: string, work: (world: World) => Promise<T>): Promise<T> {
  const db = await openPglite(join(folder, name));
  try {
    await migrate(db);
    const world = await makeWorld({ database: db, members: 2 });
    return await work(world).finally(() => world.close());
  } finally {
    await db.close();
  }
}

/** The database as it was backed up. */
const restored = (copy: string) => cp(join(folder, "backup"), join(folder, copy), { recursive: true });

it("a restored GMS gives no entity tag of a GKTP document or a group document a second time", {
  timeout: 120_000,
}, async () => {
  await at("backup", async (world) => {
    const core = makeCore(world);
    await core.context.admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(2) });
    await sealAll(core);
  });
  // The members get a key after the backup, which is then restored, and another key after that.
  const rekeyed = async (displayName: string) => {
    await restored(displayName);
    return at(displayName, async (world) => {
      const core = makeCore(world);
      const { id } = await core.context.admin.rekey(operator("op"), GROUP);
      const { group } = await core.context.admin.changeGroup(operator("op"), GROUP, { displayName });
      await sealAll(core);
      const keys = gktpEtagOf(await world.store.gktpOf(memberUri(0)));
      return { id, tags: [keys, groupEtag(group.revision)] };
    });
  };
  const [lost, now] = [await rekeyed("lost"), await rekeyed("now")];
  expect(now.id).toBe(lost.id);
  expect(now.tags[0]).not.toBe(lost.tags[0]);
  expect(now.tags[1]).not.toBe(lost.tags[1]);
});

it("a restored KMS gives no CacheNum a second time", { timeout: 120_000 }, async () => {
  const change = (name: string, work: (store: KmsStore) => Promise<void>) =>
    at(name, async ({ db, envelope }) => {
      const store = await KmsStore.open(db, envelope);
      await work(store);
      return (await store.certificates()).cacheNum;
    });
  const permit = (kmsUri: string) => (store: KmsStore) =>
    store.putOtherCertificate(certificate("x", { kmsUri }), "external");
  await rm(join(folder, "backup"), { recursive: true, force: true });
  await change("backup", async (store) => void (await store.addMaster(newMaster("a", 0))));
  await restored("kms-lost");
  const lost = await change("kms-lost", permit("kms.a.example"));
  await restored("kms-now");
  // It counts in seconds. Nobody restores a database within one.
  while (Date.now() < (lost + 1) * 1000) await new Promise((resolve) => setTimeout(resolve, 50));
  const now = await change("kms-now", permit("kms.b.example"));
  expect(now).toBeGreaterThan(lost);
});
