/** Legs over WebSockets and legs over UDP in one call, on sockets of this machine. */
import { afterEach, expect, it } from "vitest";
import WebSocket from "ws";
import { DENY_CAUSES } from "../../../bindings/floor-control/index.ts";
import { systemRandom } from "../../../bindings/index.ts";
import { type CallDescription, NO_ADDRESS } from "../../../documents/sdp/call.ts";
import { ServerFloor } from "../../../roles/client/calls/floor-with-server.ts";
import { type CallEvent, GroupCall, PrivateCall } from "../../../roles/client/calls/index.ts";
import type { McxCall, McxPrivateCall } from "../../../roles/client/mcx/index.ts";
import { type MediaSocket, openMediaSocket } from "../../../transport/datagram/websocket-client.ts";
import { systemClock } from "../../../transport/sip/index.ts";
import { takeFloor, takeTurn } from "./floor.ts";
import { ALICE, BOB, CAROL, GROUP, MCX, McxWorld, NAMES, until } from "./mcx-server.ts";

let world: McxWorld;
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await world.close();
});

const OFFER = { media: NO_ADDRESS, floor: NO_ADDRESS, webSocket: {} };

interface WebCall extends Pick<McxCall, "call" | "hangUp"> {
  readonly answer: CallDescription;
  readonly uri: string;
  readonly socket: MediaSocket;
  readonly events: CallEvent[];
  ended: boolean;
}

async function overWebSocket(user: string, offer: CallDescription = OFFER): Promise<WebCall> {
  const { client } = await world.device(user);
  await client.bind();
  const joined = await client.join(GROUP, {
    offer,
    onEnd: () => {
      web.ended = true;
    },
  });
  const { uri } = joined.answer.webSocket!;
  const socket = openMediaSocket({ uri: uri!, clock: systemClock, open: (to) => new WebSocket(to) as never });
  closers.push(() => socket.close());
  const events: CallEvent[] = [];
  const call = new GroupCall({
    groupUri: GROUP,
    userUri: user,
    keys: world.groupKeys(user, GROUP),
    mediaPort: socket.media,
    floorPort: socket.floor,
    server: { media: socket.server, floor: socket.server },
    control: joined.control,
    controlSsrc: joined.controlSsrc,
    mixer: MCX,
    members: () => NAMES,
    clock: systemClock,
    now: () => systemClock.now(),
    random: systemRandom,
    onEvent: (event) => events.push(event),
  });
  const web: WebCall = {
    call,
    answer: joined.answer,
    uri: uri!,
    socket,
    events,
    ended: false,
    async hangUp() {
      await joined.hangUp();
      await call.close();
    },
  };
  return web;
}

async function overUdp(user: string): Promise<McxCall> {
  const { client } = await world.device(user);
  await client.bind();
  return client.call(GROUP, { members: () => NAMES });
}

async function serve(mixes = false): Promise<void> {
  world = await McxWorld.create({ media: { wsPort: 0 } }, mixes);
  world.directory.groups.set(GROUP, new Set(NAMES));
}

it("pages on WebSocket legs hear each other, and one waits while another talks", async () => {
  await serve();
  const [alice, bob, carol] = [await overWebSocket(ALICE), await overWebSocket(BOB), await overUdp(CAROL)];
  for (const [talker, ...others] of [
    [alice.call, bob.call, carol.call],
    [carol.call, alice.call, bob.call],
  ] as const) {
    for (const frames of await takeTurn(talker, others, 12)) {
      expect(frames.length).toBeGreaterThan(4);
      expect(frames).toEqual([...frames].sort((a, b) => a - b));
    }
  }
  await takeFloor(alice.call);
  await until(() => bob.call.floor.talker === ALICE);
  bob.call.request();
  await until(() => bob.call.floor.state === "queued");
  alice.call.release();
  await until(() => bob.call.floor.state === "granted");
  expect(bob.call.counters.media.strangers).toBe(0);
});

it("pages on WebSocket legs are denied the floor while another talks, where they have asked for no queue", async () => {
  await serve();
  const [alice, bob] = [await overWebSocket(ALICE, { ...OFFER, queueing: false }), await overUdp(BOB)];
  expect(alice.answer.queueing).toBe(false);
  bob.call.request();
  await until(() => alice.call.floor.talker === BOB);
  alice.call.request();
  await until(() => alice.call.floor.state === "taken");
  expect(alice.events).toContainEqual(
    expect.objectContaining({ type: "floor", lost: "denied", cause: DENY_CAUSES.ANOTHER_HAS_PERMISSION }),
  );
});

it("pages on WebSocket legs get mixed speech where the server has the key", async () => {
  await serve(true);
  const [alice, bob] = [await overWebSocket(ALICE), await overUdp(BOB)];
  const [heard] = await takeTurn(alice.call, [bob.call], 12);
  expect(heard!.length).toBeGreaterThan(4);
  const [back] = await takeTurn(bob.call, [alice.call], 12);
  expect(back!.length).toBeGreaterThan(4);
});

it("a WebSocket leg survives a broken connection: the later one with the token counts", async () => {
  await serve();
  const [alice, bob] = [await overWebSocket(ALICE), await overUdp(BOB)];
  await takeTurn(alice.call, [bob.call], 2);
  const other = new WebSocket(alice.uri);
  closers.push(() => other.terminate());
  await new Promise((resolve) => other.once("open", resolve));
  // The first comes back, as one does whose network has changed.
  const [heard] = await takeTurn(alice.call, [bob.call], 12);
  expect(heard!.length).toBeGreaterThan(4);
  await until(() => other.readyState === WebSocket.CLOSED);
});

it("a WebSocket leg ends with the membership, and its token is worthless then", async () => {
  await serve();
  const [alice, bob] = [await overWebSocket(ALICE), await overUdp(BOB)];
  await takeTurn(bob.call, [alice.call], 3);
  const received = alice.call.counters.media.received;
  expect(received).toBeGreaterThan(0);
  world.directory.remove(GROUP, ALICE);
  await until(() => alice.ended);
  bob.call.request();
  // Nobody is there to hear it.
  await until(() => bob.call.floor.state !== "pending");
  expect(alice.call.counters.media.received).toBe(received);
  expect(await statusOf(alice.uri)).toBe(401);
});

it("a page calls a user on UDP privately over a WebSocket, and each hears the other", async () => {
  await serve();
  const taken: McxPrivateCall[] = [];
  const bob = await world.device(BOB, { onPrivateCall: () => ({ onBegin: (placed) => taken.push(placed) }) });
  const alice = await world.device(ALICE);
  await Promise.all([bob.client.bind(), alice.client.bind()]);
  let isOver = false;
  const joined = await alice.client.joinUser(BOB, {
    offer: OFFER,
    onEnd: () => {
      isOver = true;
    },
  });
  const { answer, pck, control, controlSsrc } = joined;
  const open = (to: string) => new WebSocket(to) as never;
  const socket = openMediaSocket({ uri: answer.webSocket!.uri!, clock: systemClock, open });
  closers.push(() => socket.close());
  const { media, floor: port, server } = socket;
  const [random, clock] = [systemRandom, systemClock];
  const ofAlice = new PrivateCall(
    {
      key: { pck, side: "initiator" },
      peerUri: BOB,
      mediaPort: media,
      to: server,
      now: () => clock.now(),
      random,
    },
    (ofCall, onChange) =>
      new ServerFloor(
        { keys: control, service: "mcptt", port, server, ssrc: controlSsrc, random, userUri: ALICE, clock },
        ofCall,
        onChange,
      ),
  );
  await until(() => taken.length === 1);
  const ofBob = taken[0]!.call;
  for (const [talker, listener] of [
    [ofAlice, ofBob],
    [ofBob, ofAlice],
  ] as const) {
    const [frames] = await takeTurn(talker, [listener], 12);
    expect(frames!.length).toBeGreaterThan(6);
  }
  expect(world.privateSessions.totals()).toMatchObject({ forwarded: 24 });
  await taken[0]!.hangUp();
  await until(() => isOver);
  expect(world.privateSessions.size).toBe(0);
});

it("a private call over a WebSocket is refused where the server has no WebSockets", async () => {
  world = await McxWorld.create();
  const bob = await world.device(BOB, { onPrivateCall: () => ({ onBegin: () => undefined }) });
  const alice = await world.device(ALICE);
  await Promise.all([bob.client.bind(), alice.client.bind()]);
  const joining = alice.client.joinUser(BOB, { offer: OFFER, onEnd: () => undefined });
  await expect(joining).rejects.toMatchObject({ status: 488 });
  expect(world.privateSessions.size).toBe(0);
});

it("WebSocket legs are refused where the server has no WebSockets", async () => {
  world = await McxWorld.create();
  world.directory.groups.set(GROUP, new Set(NAMES));
  const { client } = await world.device(ALICE);
  await client.bind();
  await expect(client.join(GROUP, { offer: OFFER })).rejects.toThrow("488");
});

function statusOf(uri: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const socket = new WebSocket(uri);
    socket.on("unexpected-response", (_request, { statusCode }) => resolve(statusCode));
    socket.on("open", () => resolve(101));
    socket.on("error", () => undefined);
  });
}
