/** A client between two processes of one MCX server: redirects, calls that are joined again, and CSKs that are taken once. */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { defined } from "../../../base/defined.ts";
import type { GroupClaim } from "../../../roles/mcx/cluster/owned-groups.ts";
import { type Clock, type SipEndpoint, systemClock } from "../../../transport/sip/index.ts";
import { takeFloor } from "./floor.ts";
import { ALICE, BOB, type Device, GROUP, MCX, McxWorld, NAMES, until } from "./mcx-server.ts";

let there: McxWorld;
let here: McxWorld;
let claim: GroupClaim;
const seen = new Set<string>();

/** The process that clients are bound at says of the group what the test says. */
beforeEach(async () => {
  seen.clear();
  const cluster = {
    claim: async () => claim,
    post: async () => undefined,
    async firstSeen(octets: Uint8Array) {
      const digest = Buffer.from(octets).toString("hex");
      return !seen.has(digest) && seen.add(digest).size > 0;
    },
  };
  there = await McxWorld.create({}, false, () => [], cluster);
  here = await McxWorld.create({}, false, () => [], cluster);
  for (const world of [here, there]) world.directory.groups.set(GROUP, new Set(NAMES));
});
afterEach(async () => {
  await here.close();
  await there.close();
});

const HERE: GroupClaim = { where: "here", holds: () => true, done: () => undefined };
const elsewhere = (world: McxWorld): GroupClaim => ({
  where: "elsewhere",
  contacts: { udp: world.address, tcp: `${world.address};transport=tcp` },
});

async function bound(user: string, clock?: Clock): Promise<Device> {
  const device = await here.device(user, { udp: false, ...defined({ clock }) });
  await device.client.bind();
  return device;
}

/** The other process serves the group, once a client has come to it. */
function serveThere(): void {
  claim = elsewhere(there);
  const { enter } = there.clients;
  there.clients.enter = (client) => {
    claim = HERE;
    enter.call(there.clients, client);
  };
}

describe("a client whose call is at another process", () => {
  it("is redirected there, binds and joins, and removes that binding at the end", async () => {
    const alice = await bound(ALICE);
    serveThere();
    const call = await alice.client.call(GROUP);
    expect(there.sessions.states()[0]!.participants).toEqual([ALICE]);
    expect(here.sessions.groups()).toEqual([]);
    expect([here.clients.users(), there.clients.users()]).toEqual([[ALICE], [ALICE]]);
    const csks = [here, there].map((world) => world.clients.of(ALICE)[0]!.sending()!.keyId);
    expect(csks[0]).not.toBe(csks[1]);
    await call.hangUp();
    await until(() => there.clients.size === 0);
    expect(here.clients.users()).toEqual([ALICE]);
  });

  it("is not redirected for ever", async () => {
    const alice = await bound(ALICE);
    claim = elsewhere(here);
    await expect(alice.client.call(GROUP)).rejects.toMatchObject({ code: "MCX_REFUSED", status: 302 });
  });

  it("rejoins at the group's next process, with the same call, when its own sends it away", async () => {
    const [alice, bob] = [await bound(ALICE), await bound(BOB)];
    serveThere();
    const ends: string[] = [];
    const { call, hangUp } = await alice.client.call(GROUP, { onEnd: (end) => ends.push(end) });
    serveThere();
    const listener = await bob.client.call(GROUP);
    // There is nobody to talk to for one who is alone.
    await takeFloor(call);
    claim = HERE;
    for (const dialog of await there.sessions.endAll()) void dialog.bye("moved");
    await until(() => here.sessions.states()[0]?.participants.length === 2);
    // The user who talked asks for the floor again, and talks on.
    let heard = 0;
    await until(() => {
      if (call.floor.state === "granted") void call.send(new Int16Array(160).fill(5000));
      else if (call.floor.state === "idle") call.request();
      if (listener.call.play() !== undefined) heard++;
      return heard > 3;
    });
    expect(alice.events.map(({ type }) => type)).toEqual(
      expect.arrayContaining(["server-lost", "call-lost", "call-joined"]),
    );
    expect(ends).toEqual([]);
    await hangUp();
  });

  it("has left the call when it is refused there", async () => {
    const alice = await bound(ALICE);
    serveThere();
    const ends: string[] = [];
    await alice.client.call(GROUP, { onEnd: (end) => ends.push(end) });
    claim = HERE;
    here.directory.groups.get(GROUP)!.delete(ALICE);
    for (const dialog of await there.sessions.endAll()) void dialog.bye("moved");
    await until(() => ends.length > 0);
    expect(ends).toEqual(["moved"]);
  });
});

it("a call that is lost again soon gives its servers more time to answer", async () => {
  let ahead = 0;
  const clock: Clock = { now: () => systemClock.now() + ahead, after: systemClock.after };
  const alice = await bound(ALICE, clock);
  const { endpoint } = alice;
  const limits: number[] = [];
  const { invite } = endpoint;
  let lose: (() => void) | undefined;
  Object.assign(endpoint, {
    invite(options: Parameters<SipEndpoint["invite"]>[0]) {
      limits.push(options.keepAlive!.limit);
      lose = () => options.onEnd!("lost");
      return invite(options);
    },
  });
  claim = HERE;
  const ends: string[] = [];
  await alice.client.call(GROUP, { onEnd: (end) => ends.push(end) });
  const joined = () => alice.events.filter(({ type }) => type === "call-joined").length;
  for (const [rejoined, later] of [10_000, 10_000, 600_000, 10_000].entries()) {
    ahead += later;
    lose!();
    await until(() => joined() > rejoined);
  }
  const [first = 0] = limits;
  // When the third is lost, the losses before it are forgotten.
  expect(limits).toEqual([first, first, Math.min(2 * first, 32_000), first, Math.min(2 * first, 32_000)]);
  expect(first).toBeLessThan(32_000);
  // The server was there all the time, and ended each call when its client joined anew.
  expect(ends).toEqual([]);
});

it("a call that is lost before its media are in place is joined again", async () => {
  const alice = await bound(ALICE);
  const { endpoint } = alice;
  const { invite } = endpoint;
  let losses = 2;
  Object.assign(endpoint, {
    async invite(options: Parameters<SipEndpoint["invite"]>[0]) {
      const result = await invite(options);
      if (losses-- > 0) options.onEnd!("lost");
      return result;
    },
  });
  claim = HERE;
  await alice.client.call(GROUP);
  const count = (type: string) => alice.events.filter((event) => event.type === type).length;
  await until(() => count("call-joined") === 2);
  expect(count("call-lost")).toBe(2);
});

it("a process to which a call is redirected gets more time for its answer each time it was silent", async () => {
  // The waits for a process that is silent, and the pauses between, are over at once.
  let ahead = 0;
  const waits: number[] = [];
  const clock: Clock = {
    now: () => systemClock.now() + ahead,
    after(milliseconds, done) {
      if (![200, 1000, 2000, 4000, 8000].includes(milliseconds)) return systemClock.after(milliseconds, done);
      waits.push(milliseconds);
      ahead += milliseconds;
      return systemClock.after(0, done);
    },
  };
  const silent = createServer();
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
  const { port } = silent.address() as AddressInfo;
  const alice = await bound(ALICE, clock);
  claim = { where: "elsewhere", contacts: { tcp: `sip:127.0.0.1:${port};transport=tcp` } };
  for (let i = 0; i < 4; i++) {
    await expect(alice.client.call(GROUP)).rejects.toMatchObject({ code: "MCX_SILENT" });
  }
  const redirects = waits.filter((milliseconds) => milliseconds >= 1000);
  expect(redirects[0]).toBe(1000);
  expect(redirects).toContain(4000);
  expect(redirects).toEqual([...redirects].sort((a, b) => a - b));
  silent.close();
});

it("the only server of a client may take its time for the first answer", async () => {
  // For the client every wait is over at once; the transactions of the endpoint have clocks of their own.
  const clock: Clock = { now: systemClock.now, after: (_, done) => systemClock.after(0, done) };
  const device = await here.device(ALICE, { udp: false, clock });
  await device.client.bind();
  expect(here.clients.users()).toEqual([ALICE]);
});

it("a CSK that one process has accepted is refused by the others", async () => {
  const alice = await bound(ALICE);
  const [digest] = seen;
  expect(digest).toBeDefined();
  seen.clear();
  // The next one looks as if the other process had already accepted it.
  const { has } = seen;
  seen.has = () => true;
  await expect(alice.client.bind()).rejects.toMatchObject({ code: "MCX_REFUSED", status: 403 });
  seen.has = has;
  expect(here.counts.refused_csk_refused).toBe(1);
});

it("a client learns by OPTIONS whether its binding exists, and nobody else does", async () => {
  const alice = await bound(ALICE);
  const bob = await bound(BOB);
  const ask = async (device: Device, from: string, to = MCX) => {
    const uri = `${here.address};transport=tcp`;
    return (await device.endpoint.request({ method: "OPTIONS", uri, from, to })).status;
  };
  expect(await ask(alice, ALICE)).toBe(200);
  expect(await ask(bob, ALICE)).toBe(404);
  expect(await ask(bob, "sip:balancer@home.example", here.address)).toBe(200);
  for (const client of here.clients.of(ALICE)) here.clients.remove(client);
  expect(await ask(alice, ALICE)).toBe(404);
});
