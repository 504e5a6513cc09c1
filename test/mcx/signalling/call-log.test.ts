/** The record that the MCX server keeps of each call: from the first client who joins to the last who leaves. */
import { afterEach, describe, expect, it } from "vitest";
import { takeFloor } from "./floor.ts";
import { ALICE, BOB, type Device, GROUP, McxWorld, NAMES, until } from "./mcx-server.ts";

let world: McxWorld;
afterEach(() => world.close());

async function bound(...users: string[]): Promise<Device[]> {
  world.directory.groups.set(GROUP, new Set(NAMES));
  const devices = await Promise.all(users.map((user) => world.device(user)));
  await Promise.all(devices.map(({ client }) => client.bind()));
  return devices;
}

describe("the log of calls of an MCX server", () => {
  it("has each call of a group with who talked, also after its end", async () => {
    world = await McxWorld.create();
    const [alice, bob] = await bound(ALICE, BOB);
    const calls = [await alice!.client.call(GROUP), await bob!.client.call(GROUP)] as const;
    expect(world.callLog.list()).toEqual([
      { id: 1, groupUri: GROUP, from: expect.any(Number), participants: 2, talkers: [] },
    ]);
    const [{ call }] = calls;
    await takeFloor(call);
    call.release();
    await until(() => world.callLog.list()[0]!.talkers.length > 0);
    for (const one of calls) await one.hangUp();
    await until(() => world.callLog.list()[0]!.to !== undefined);
    const again = await alice!.client.call(GROUP);
    const [first, second] = world.callLog.list();
    expect(first).toMatchObject({ participants: 2, talkers: [{ user: ALICE, talks: 1 }] });
    expect(second).toMatchObject({ id: 2, groupUri: GROUP, participants: 1, talkers: [] });
    await again.hangUp();
  });

  it("ends the calls that the server ends when it stops", async () => {
    world = await McxWorld.create();
    const [alice, bob] = await bound(ALICE, BOB);
    const { call } = await alice!.client.call(GROUP);
    await bob!.client.call(GROUP);
    await takeFloor(call);
    await world.sessions.close();
    const [only] = world.callLog.list();
    expect(only).toMatchObject({ to: expect.any(Number), last: { user: ALICE } });
  });
});
