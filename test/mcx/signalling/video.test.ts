/** Calls of MCVideo groups (TS 24.281 9.2, TS 24.581): server and clients on sockets of this machine. */
import { afterEach, describe, expect, it } from "vitest";
import {
  GroupMedia,
  H264Depacketiser,
  packetiseH264,
  writeRtpPacket,
} from "../../../bindings/media/index.ts";
import type { MediaFormat } from "../../../documents/sdp/video-call.ts";
import type { FloorChange } from "../../../roles/client/calls/index.ts";
import type { ReceivedVideo } from "../../../roles/client/calls/video-call.ts";
import type { VideoCallHandlers } from "../../../roles/client/mcx/index.ts";
import type { McxConfigInput } from "../../../roles/mcx/common/config.ts";
import { ALICE, BOB, CAROL, GROUP, McxWorld, NAMES, until } from "./mcx-server.ts";

let world: McxWorld;
afterEach(() => world.close());

async function serve(config: Partial<McxConfigInput> = {}): Promise<void> {
  world = await McxWorld.create(config);
  world.directory.groups.set(GROUP, new Set(NAMES));
  world.directory.rules.set(GROUP, { services: ["mcptt", "mcvideo"] });
}

async function join(user: string, handlers: VideoCallHandlers = {}) {
  const seen: ReceivedVideo[] = [];
  const changes: FloorChange[] = [];
  const ends: string[] = [];
  const { client } = await world.device(user);
  await client.bind();
  const placed = await client.video(GROUP, {
    members: () => NAMES,
    onVideo: (video) => seen.push(video),
    onTransmission: (change) => changes.push(change),
    onEnd: (end) => ends.push(end),
    ...handlers,
  });
  const { call } = placed;
  return {
    ...placed,
    client,
    seen,
    changes,
    ends,
    async transmit(priority = 0) {
      call.request(priority);
      await until(() => call.transmission.state === "granted");
    },
  };
}

/** A picture of so many octets, which go into many packets. */
const picture = (octets: number, seed = 1) => [
  Uint8Array.from({ length: octets }, (_, i) => (i === 0 ? 0x65 : (i * seed) % 251)),
];

async function send(call: Awaited<ReturnType<typeof join>>["call"], units: Uint8Array[], timestamp = 0) {
  const payloads = packetiseH264(units);
  for (const [i, payload] of payloads.entries()) {
    await call.send(payload, timestamp, i === payloads.length - 1);
  }
  return payloads.length;
}

function unitsOf(seen: readonly ReceivedVideo[]): Uint8Array[] {
  const receiver = new H264Depacketiser();
  return seen.flatMap(({ payload, sequenceNumber }) => receiver.take(payload, sequenceNumber));
}

describe("a call with video", () => {
  it("brings a key frame of a hundred packets to the others, and their sender's name with it", async () => {
    await serve();
    const [alice, bob, carol] = [await join(ALICE), await join(BOB), await join(CAROL)];
    await alice.transmit();
    const [frame, next] = [picture(118_000), picture(700, 3)];
    expect(await send(alice.call, frame, 90)).toBeGreaterThanOrEqual(100);
    await send(alice.call, next, 3690);
    for (const { seen } of [bob, carol]) {
      await until(() => unitsOf(seen).length === 2);
      expect(unitsOf(seen)).toEqual([...frame, ...next]);
      expect(new Set(seen.map(({ user }) => user))).toEqual(new Set([ALICE]));
      expect(seen.filter(({ marker }) => marker).map(({ timestamp }) => timestamp)).toEqual([90, 3690]);
    }
    expect(alice.seen).toEqual([]);
    await until(() => bob.call.transmission.talker === ALICE);
    alice.call.release();
    for (const { call } of [alice, bob]) await until(() => call.transmission.state === "idle");
  });

  it("goes on beside the call with speech of the same group", async () => {
    await serve();
    const [alice, bob] = [await join(ALICE), await join(BOB)];
    const [voice, ear] = [await alice.client.call(GROUP), await bob.client.call(GROUP)];
    voice.call.request();
    await until(() => voice.call.floor.state === "granted");
    await bob.transmit();
    await until(() => ear.call.floor.talker === ALICE);
    await send(bob.call, picture(100));
    await until(() => alice.seen.length === 1);
    await voice.hangUp();
    await ear.hangUp();
    await send(bob.call, picture(100));
    await until(() => alice.seen.length === 2);
  });

  it("is protected under the group's key for video: the server has none, and who has been removed opens nothing", async () => {
    await serve();
    const [alice, bob, carol] = [await join(ALICE), await join(BOB), await join(CAROL)];
    await alice.transmit();
    world.directory.remove(GROUP, CAROL);
    await until(() => carol.ends.length === 1);
    expect(carol.ends).toEqual(["bye"]);
    const before = carol.seen.length;
    await send(alice.call, picture(5000));
    await until(() => unitsOf(bob.seen).length === 1);
    expect(carol.seen.length).toBe(before);
    await expect(carol.client.video(GROUP)).rejects.toMatchObject({ status: 403 });
    expect(world.videoSessions.states().map(({ mixed }) => mixed)).toEqual([false]);
  });

  it("has keys of its own: what is of speech or of another GMK is not opened", async () => {
    await serve();
    const keys = world.groupKeys(ALICE, GROUP);
    const stream = new GroupMedia({ service: "mcvideo", keys }).sender();
    const fields = { marker: true, payloadType: 98, sequenceNumber: 1, timestamp: 0, ssrc: stream.ssrc };
    const packet = await stream.protect(writeRtpPacket(fields, Uint8Array.of(0x65, 1)));
    const opens = (media: GroupMedia) => media.receive(packet);
    expect(
      await opens(new GroupMedia({ service: "mcvideo", keys: world.groupKeys(BOB, GROUP) })),
    ).toMatchObject({
      ok: true,
    });
    expect(
      await opens(new GroupMedia({ service: "mcptt", keys: world.groupKeys(BOB, GROUP) })),
    ).toMatchObject({
      ok: false,
      fault: "not-authentic",
    });
    const none = { sending: () => undefined, receiving: () => undefined };
    expect(await opens(new GroupMedia({ service: "mcvideo", keys: none }))).toMatchObject({
      ok: false,
      fault: "unknown-key",
    });
  });
});

describe("transmission control", () => {
  it("lets one transmit at a time, queues others by priority, and lets an urgent one take it", async () => {
    await serve();
    const [alice, bob, carol] = [await join(ALICE), await join(BOB), await join(CAROL)];
    await alice.transmit();
    bob.call.request(5);
    await until(() => bob.call.transmission.state === "queued");
    expect(bob.call.transmission.position).toBe(1);
    carol.call.request(220);
    await until(() => alice.changes.some(({ lost }) => lost === "revoked"));
    await until(() => carol.call.transmission.state === "granted");
    await expect(send(alice.call, picture(10))).rejects.toMatchObject({ code: "FLOOR_NOT_GRANTED" });
    carol.call.release();
    await until(() => bob.call.transmission.state === "granted");
  });

  it("lets as many transmit as the configuration says", async () => {
    await serve({ video: { transmitters: 2 } });
    const [alice, bob, carol] = [await join(ALICE), await join(BOB), await join(CAROL)];
    await alice.transmit();
    await bob.transmit();
    await send(alice.call, picture(50));
    await send(bob.call, picture(60));
    await until(() => carol.seen.length === 2);
    expect(new Set(carol.seen.map(({ user }) => user))).toEqual(new Set([ALICE, BOB]));
  });

  it("refuses a single participant", async () => {
    await serve();
    const alice = await join(ALICE);
    alice.call.request();
    await until(() => alice.changes.some(({ lost }) => lost === "denied"));
    expect(alice.changes.at(-1)?.cause).toBe(3);
  });

  it("that is manual brings a transmission to our client, which asks for it as soon as it is told", async () => {
    await serve({ video: { reception: "manual" } });
    const [alice, bob] = [await join(ALICE), await join(BOB)];
    await alice.transmit();
    while (bob.seen.length === 0) {
      await send(alice.call, picture(20));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });
});

describe("an INVITE with video", () => {
  it("is refused for a group without the service, one in clear, and a format that the call has not", async () => {
    await serve();
    await join(ALICE);
    const other: MediaFormat = { type: 98, encoding: "H265/90000" };
    await expect(join(BOB, { formats: [other] })).rejects.toMatchObject({
      status: 488,
      message: expect.stringContaining("NO_COMMON_VIDEO"),
    });
    world.directory.rules.set(GROUP, { services: ["mcptt"] });
    await expect(join(CAROL)).rejects.toMatchObject({ status: 403 });
    world.directory.rules.set(GROUP, { services: ["mcvideo"], unprotected: ["mcvideo-protect-media"] });
    await expect(join(CAROL)).rejects.toMatchObject({ status: 403 });
    expect(world.refusals.map((facts) => (facts as { reason: string }).reason)).toEqual(
      expect.arrayContaining(["NO_COMMON_VIDEO", "SERVICE_NOT_IN_GROUP", "MCVIDEO_PROTECT_MEDIA_FALSE"]),
    );
  });

  it("ends the call of all when protection is taken from the group", async () => {
    await serve();
    const alice = await join(ALICE);
    world.directory.follow(GROUP, { unprotected: ["mcvideo-protect-transmission-control"] });
    await until(() => alice.ends.length === 1);
    await until(() => world.videoSessions.groups().length === 0);
  });
});
