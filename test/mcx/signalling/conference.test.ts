/** The participants of a call, told to members of the group (RFC 4575, TS 24.379 10.1.3). */
import { afterEach, describe, expect, it } from "vitest";
import type { McxCall } from "../../../roles/client/mcx/index.ts";
import { Participants } from "../../../roles/client/mcx/watching.ts";
import { CONFERENCE_PAUSE_MS } from "../../../roles/mcx/signalling/conferences.ts";
import { altered, overTcp } from "./attacker.ts";
import { ALICE, BOB, CAROL, type Device, GROUP, McxWorld, NAMES, until } from "./mcx-server.ts";

let world: McxWorld;
afterEach(() => world.close());

const port = () => Number(world.address.split(":").at(-1));
const latin = (message: Uint8Array) => Buffer.from(message).toString("latin1");

async function bound(...users: string[]): Promise<Device[]> {
  world.directory.groups.set(GROUP, new Set(NAMES));
  const devices = await Promise.all(users.map((user) => world.device(user)));
  await Promise.all(devices.map(({ client }) => client.bind()));
  return devices;
}

/** Returns the lists of participants that the call has been sent, the newest last. */
async function watched(call: McxCall): Promise<string[][]> {
  const told: string[][] = [];
  await call.watch((participants) => told.push([...participants]));
  await until(() => told.length > 0);
  return told;
}

/** The pause of the server, and time for what follows from it. */
async function pause(): Promise<void> {
  await world.conferenceClock.pass(CONFERENCE_PAUSE_MS);
  await new Promise((resolve) => setTimeout(resolve, 300));
}

describe("a member who subscribes to a call's participants", () => {
  it("is told who is there, who comes and who goes", async () => {
    world = await McxWorld.create();
    const [alice, bob, carol] = await bound(ALICE, BOB, CAROL);
    const call = await alice!.client.call(GROUP);
    const told = await watched(call);
    expect(told).toEqual([[ALICE]]);
    const other = await bob!.client.call(GROUP);
    await until(() => told.length === 2);
    expect(told[1]).toEqual([ALICE, BOB]);
    // Within the pause, all at its end.
    await carol!.client.call(GROUP);
    await other.hangUp();
    await until(() => world.sessions.participants(GROUP)?.length === 2);
    await pause();
    await until(() => told.length > 2);
    await pause();
    expect(told).toEqual([[ALICE], [ALICE, BOB], [ALICE, CAROL]]);
    await call.hangUp();
    expect(alice!.events.filter(({ type }) => type === "refused")).toEqual([]);
  });

  it("is told nothing when somebody rejoins, or after leaving", async () => {
    world = await McxWorld.create();
    const [alice, bob] = await bound(ALICE, BOB);
    const call = await alice!.client.call(GROUP);
    await bob!.client.call(GROUP);
    const told = await watched(call);
    expect(told).toEqual([[ALICE, BOB]]);
    await bob!.client.call(GROUP);
    await pause();
    expect(told).toHaveLength(1);
    await call.hangUp();
    await world.sessions.endAll();
    await pause();
    expect(told).toHaveLength(1);
  });
});

it("a participant client that could not read a document asks for the whole", async () => {
  world = await McxWorld.create();
  world.directory.groups.set(GROUP, new Set(NAMES));
  let isBroken = false;
  const alice = await world.device(ALICE, {
    incoming(octets, pass) {
      // The change is in the signed document.
      const at = latin(octets).indexOf("<user ");
      if (isBroken && latin(octets).startsWith("NOTIFY ") && at > 0) octets[at + 1]! ^= 1;
      pass();
    },
  });
  await alice.client.bind();
  const [bob, carol] = await bound(BOB, CAROL);
  const told = await watched(await alice.client.call(GROUP));
  isBroken = true;
  await bob!.client.call(GROUP);
  await until(() => alice.events.some(({ type }) => type === "refused"));
  isBroken = false;
  await pause();
  await carol!.client.call(GROUP);
  await until(() => told.length === 2);
  expect(told).toEqual([[ALICE], [ALICE, BOB, CAROL]]);
  // The refresh is no new subscription.
  expect(world.counts.conference_subscribed).toBe(1);
});

describe("a user outside of the call", () => {
  it("is told nothing, whether in another group or removed", async () => {
    world = await McxWorld.create();
    const [alice, bob, carol] = await bound(ALICE, BOB, CAROL);
    const call = await alice!.client.call(GROUP);
    const told = await watched(call);
    const subscribed = world.recorded.findLast((one) => latin(one).startsWith("SUBSCRIBE "))!;
    // Removed members leave the call, too.
    world.directory.remove(GROUP, ALICE);
    await until(() => world.sessions.participants(GROUP) === undefined);
    world.directory.groups.get(GROUP)!.add(ALICE);
    await bob!.client.call(GROUP);
    await carol!.client.call(GROUP);
    await pause();
    expect(told).toEqual([[ALICE]]);
    // The recorded request is refused when it comes from elsewhere.
    const again = altered(subscribed, { headers: { "Call-ID": "another" } });
    expect(await overTcp(port(), again)).toBe("SIP/2.0 403 Forbidden");
    expect(await overTcp(port(), altered(subscribed))).toBe("SIP/2.0 403 Forbidden");
    expect(world.counts).toMatchObject({
      conference_subscribed: 1,
      refused_replayed: 1,
      refused_request_changed: 1,
    });
  });

  it("may not subscribe, and nobody may subscribe to a call that does not exist", async () => {
    world = await McxWorld.create();
    const [alice, bob] = await bound(ALICE, BOB);
    await bob!.client.call(GROUP);
    const offer = { media: { host: "127.0.0.1", port: 9 }, floor: { host: "127.0.0.1", port: 9 } };
    const joined = await alice!.client.join(GROUP, { offer });
    const statusOf = () =>
      new Promise<number | undefined>((resolve) => {
        void joined.watch({ onChange: () => resolve(200), onEnd: ({ status }) => resolve(status) });
      });
    await expect(statusOf()).resolves.toBe(200);
    world.directory.groups.get(GROUP)!.delete(ALICE);
    await expect(statusOf()).resolves.toBe(403);
    world.directory.groups.get(GROUP)!.add(ALICE);
    await world.sessions.endAll();
    await expect(statusOf()).resolves.toBe(404);
    expect(world.counts).toMatchObject({
      conference_subscribed: 1,
      refused_not_a_member: 1,
      refused_no_call: 1,
    });
  });
});

describe("the participant documents of a subscription", () => {
  const users = (...names: string[]) => names.map((uri) => ({ uri, isPresent: true }));

  it("are partial updates of the document before (RFC 4575 4.6)", () => {
    const participants = new Participants();
    const entity = GROUP;
    expect(participants.take({ entity, state: "partial", version: 3, users: users(ALICE) })).toBe("gap");
    expect(participants.take({ entity, state: "full", version: 3, users: users(ALICE, BOB) })).toEqual([
      ALICE,
      BOB,
    ]);
    expect(participants.take({ entity, state: "full", version: 3, users: [] })).toBe("old");
    const left = [{ uri: ALICE, isPresent: false }, ...users(CAROL)];
    expect(participants.take({ entity, state: "partial", version: 4, users: left })).toEqual([BOB, CAROL]);
    expect(participants.take({ entity, state: "partial", version: 6, users: users(ALICE) })).toBe("gap");
    expect(participants.take({ entity, state: "full", version: 7, users: users(CAROL) })).toEqual([CAROL]);
    expect(participants.take({ entity, state: "deleted", version: 8, users: users(CAROL) })).toEqual([]);
  });
});
