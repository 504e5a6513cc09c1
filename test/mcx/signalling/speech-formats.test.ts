/** The format of speech in a call: one for all, which the server relays without reading it, on sockets of this machine. */
import { afterEach, describe, expect, it } from "vitest";
import { systemRandom } from "../../../bindings/index.ts";
import { GroupMedia, readRtpHeader, rtpPayload, writeRtpPacket } from "../../../bindings/media/index.ts";
import type { SpeechFormat } from "../../../documents/sdp/call.ts";
import { GroupCall } from "../../../roles/client/calls/index.ts";
import { openUdpPort } from "../../../transport/datagram/udp-node.ts";
import { systemClock } from "../../../transport/sip/index.ts";
import { ALICE, BOB, CAROL, GROUP, MCX, McxWorld, NAMES, until } from "./world.ts";

const WIDE: SpeechFormat = {
  type: 97,
  encoding: "AMR-WB/16000",
  parameters: "mode-set=0,1,2; octet-align=1",
};
const OPUS: SpeechFormat = { type: 111, encoding: "opus/48000/2" };
const PCMA: SpeechFormat = { type: 8, encoding: "PCMA/8000" };

let world: McxWorld; /** Of the media that a client would send. */
const ssrcs = new Map<string, number>();
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await world.close();
});

async function serve(mixes: boolean): Promise<void> {
  world = await McxWorld.create({}, mixes);
  world.book.groups.set(GROUP, new Set(NAMES));
}

async function join(user: string, speech: readonly SpeechFormat[]) {
  const { client } = await world.device(user);
  await client.bind();
  const [mediaPort, floorPort] = [
    await openUdpPort({ host: "127.0.0.1" }),
    await openUdpPort({ host: "127.0.0.1" }),
  ];
  closers.push(
    () => mediaPort.close(),
    () => floorPort.close(),
  );
  const offer = { media: mediaPort.address, floor: floorPort.address, speech };
  const joined = await client.join(GROUP, { offer });
  return { ...joined, mediaPort, floorPort };
}

/** Floor control of a client whose media this test sends and takes itself. */
function floorOf(
  user: string,
  { mediaPort, floorPort, answer, control, controlSsrc }: Awaited<ReturnType<typeof join>>,
) {
  const call = new GroupCall({
    groupUri: GROUP,
    userUri: user,
    keys: world.groupKeys(user, GROUP),
    mediaPort: {
      ...mediaPort,
      send: (packet) => void ssrcs.set(user, readRtpHeader(packet)!.ssrc),
      receive: () => undefined,
      close: async () => undefined,
    },
    floorPort,
    server: { media: answer.media, floor: answer.floor },
    control,
    controlSsrc,
    mixer: MCX,
    members: () => NAMES,
    clock: systemClock,
    now: () => systemClock.now(),
    random: systemRandom,
  });
  closers.push(() => call.close());
  return call;
}

describe("a call that the server relays", () => {
  it("is in the format that the first prefers, and its packets come unread to whoever has that too", async () => {
    await serve(false);
    const alice = await join(ALICE, [WIDE, PCMA]);
    const bob = await join(BOB, [PCMA, OPUS, { ...WIDE, encoding: "amr-wb/16000/1" }]);
    expect([alice.answer.speech, bob.answer.speech]).toEqual([[WIDE], [WIDE]]);
    await expect(join(CAROL, [PCMA, OPUS])).rejects.toMatchObject({ status: 488 });
    await expect(join(CAROL, [{ ...WIDE, type: 98 }])).rejects.toMatchObject({ status: 488 });

    const talker = floorOf(ALICE, alice);
    floorOf(BOB, bob);
    const heard: (readonly [type: number, payload: Uint8Array])[] = [];
    const atBob = new GroupMedia({ service: "mcptt", keys: world.groupKeys(BOB, GROUP) });
    bob.mediaPort.receive(async (packet) => {
      const opened = await atBob.receive(packet);
      if (opened.ok) heard.push([opened.header.payloadType, rtpPayload(opened.packet, opened.header)!]);
    });
    talker.request();
    await until(() => talker.floor.state === "granted");
    // The server binds the floor to the SSRC of the request, which the talker's own packets have.
    await talker.send(new Int16Array(160));
    const stream = new GroupMedia({ service: "mcptt", keys: world.groupKeys(ALICE, GROUP) }).sender(
      ssrcs.get(ALICE),
    );
    const said = Array.from({ length: 5 }, (_, n) => Uint8Array.of(0xf0, n, 1, 2, 3));
    for (const [n, payload] of said.entries()) {
      const fields = {
        marker: n === 0,
        payloadType: 97,
        sequenceNumber: 7 + n,
        timestamp: 320 * n,
        ssrc: stream.ssrc,
      };
      const packet = await stream.protect(writeRtpPacket(fields, payload));
      alice.mediaPort.send(packet, alice.answer.media, () => undefined);
    }
    await until(() => heard.length === said.length);
    expect(heard).toEqual(said.map((payload) => [97, payload]));
  });

  it("may be in another format once it has ended", async () => {
    await serve(false);
    const alice = await join(ALICE, [WIDE]);
    await alice.hangUp();
    await until(() => world.sessions.groups().length === 0);
    expect((await join(BOB, [OPUS, WIDE])).answer.speech).toEqual([OPUS]);
  });
});

it("a call that the server mixes is in G.711", async () => {
  await serve(true);
  await expect(join(ALICE, [WIDE, OPUS])).rejects.toMatchObject({ status: 488 });
  expect((await join(ALICE, [WIDE, PCMA])).answer.speech).toEqual([PCMA]);
});
