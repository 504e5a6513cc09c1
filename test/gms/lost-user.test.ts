/** A lost radio: out of all groups, its keys of no use, and a list of who does not know yet. */

import { afterEach, beforeAll, expect, it } from "vitest";
import { loseUserEverywhere } from "../../roles/gms/admin/lost-user.ts";
import { operator } from "../../roles/gms/common/caller.ts";
import type { LostUser } from "../../roles/gms/common/ports.ts";
import type { GmsCore } from "../../roles/gms/context.ts";
import {
  acknowledge,
  makeCore,
  makeWorld,
  memberUri,
  newMembers,
  sealAll,
  type World,
} from "./memory-gms.ts";

const GROUPS = ["sip:fire@home.example", "sip:water@home.example"];
const LOST = memberUri(0);

let world: World;
let core: GmsCore;
// Core and database are made once for the file.
beforeAll(async () => (await makeWorld({ members: 3 })).close(), 240_000);
afterEach(() => world.close());

/** All messages there are, taken by everybody but those named. */
async function answer(...absent: string[]): Promise<void> {
  await sealAll(core);
  for (const { id } of await world.store.rekeys({ limit: 1000 })) {
    const uris = (await world.store.deliveries(id, { limit: 1000 })).map(({ memberUri: uri }) => uri);
    await acknowledge(
      world,
      id,
      uris.filter((uri) => !absent.includes(uri)),
    );
  }
}

async function pass(milliseconds: number): Promise<void> {
  world.clock.now += milliseconds;
  await core.schedule.tick();
}

it("a lost user is revoked at the KMS, leaves all groups, and is done when the last of the others has answered; a second run goes on", async () => {
  world = await makeWorld({ members: 3 });
  core = makeCore(world);
  const { admin } = core.context;
  for (const uri of GROUPS) await admin.createGroup(operator("op"), { uri, members: newMembers(3) });
  await answer();
  const revoked: string[] = [];
  const kms = { revokeUser: async (uri: string, reason: string) => void revoked.push(`${uri} ${reason}`) };
  const absent = memberUri(2);
  const looks: LostUser[] = [];
  const stop = new AbortController();
  const common = { userUri: LOST, caller: operator("op"), reason: "radio lost", kms, gms: admin };
  const first = loseUserEverywhere({
    ...common,
    signal: stop.signal,
    async wait() {
      // The first look is before the grace time, the second after it, and one of the members does not answer.
      if (looks.length === 2) await pass(30_000);
      await answer(absent);
      if (looks.length === 4) stop.abort();
    },
  });
  for await (const look of first) looks.push(look);
  expect(revoked).toEqual([`${LOST} radio lost`]);
  expect(looks[0]).toMatchObject({
    groups: [],
    done: false,
    withoutKey: [memberUri(1), absent],
    unaware: [],
  });
  expect(looks[0]!.gmks.map(({ state }) => state)).toEqual(["retired", "retired"]);
  expect(looks[1]!.withoutKey).toEqual([absent]);
  expect(looks.at(-1)).toMatchObject({ done: false, withoutKey: [absent], unaware: [absent] });
  expect(looks.at(-1)!.gmks.map(({ state }) => state)).toEqual(["revoked", "revoked"]);
  for (const uri of GROUPS) expect(await world.store.isMember(uri, LOST)).toBeUndefined();

  const rekeys = (await admin.rekeys({ limit: 1000 })).length;
  const again: LostUser[] = [];
  for await (const look of loseUserEverywhere({ ...common, wait: () => answer() })) again.push(look);
  expect(again[0]).toMatchObject({ done: false, unaware: [absent] });
  expect(again.at(-1)).toMatchObject({ done: true, withoutKey: [], unaware: [] });
  expect((await admin.rekeys({ limit: 1000 })).length).toBe(rekeys);
});

it("a lost user who had left a group before loses what they still hold of it as well", async () => {
  world = await makeWorld({ members: 3 });
  core = makeCore(world);
  const { admin } = core.context;
  const [uri] = GROUPS as [string];
  await admin.createGroup(operator("op"), { uri, members: newMembers(3) });
  await answer();
  await admin.removeMembers(operator("op"), uri, [LOST]);
  await world.db.query("UPDATE gms_gmk SET revoke_at = NULL");
  await answer();
  expect((await admin.loseUser(operator("op"), LOST)).gmks[0]!.revokeAt).toBe(world.clock.now + 30_000);
  await pass(30_000);
  await answer();
  expect(await admin.lostUser(LOST)).toMatchObject({ done: true, gmks: [{ state: "revoked" }] });
});
