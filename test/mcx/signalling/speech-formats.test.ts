/** The format of speech in a call: one for all, which the server relays without reading it, on sockets of this machine. */
import { afterEach, describe, expect, it } from "vitest";
import { GroupMedia, rtpPayload, writeRtpPacket } from "../../../bindings/media/index.ts";
import type { SpeechFormat } from "../../../documents/sdp/call.ts";
import { ALICE, BOB, CAROL, GROUP, McxWorld, NAMES, until } from "./mcx-server.ts";
import { type Closers, floorOf, joinWith } from "./own-media.ts";

const WIDE: SpeechFormat = {
  type: 97,
  encoding: "AMR-WB/16000",
  parameters: "mode-set=0,1,2; octet-align=1",
};
const OPUS: SpeechFormat = { type: 111, encoding: "opus/48000/2" };
const PCMA: SpeechFormat = { type: 8, encoding: "PCMA/8000" };

let world: McxWorld;
const closers: Closers = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await world.close();
});

async function serve(mixes: boolean): Promise<void> {
  world = await McxWorld.create({}, mixes);
  world.directory.groups.set(GROUP, new Set(NAMES));
}

const join = (user: string, speech: readonly SpeechFormat[]) => joinWith(world, user, speech, closers);

describe("a call that the server relays", () => {
  it("uses the first member's preferred format, and its packets reach others with that format unread", async () => {
    await serve(false);
    const alice = await join(ALICE, [WIDE, PCMA]);
    const bob = await join(BOB, [PCMA, OPUS, { ...WIDE, encoding: "amr-wb/16000/1" }]);
    expect([alice.answer.speech, bob.answer.speech]).toEqual([[WIDE], [WIDE]]);
    await expect(join(CAROL, [OPUS])).rejects.toMatchObject({ status: 488 });
    await expect(join(CAROL, [{ ...WIDE, type: 98 }])).rejects.toMatchObject({ status: 488 });

    const talker = floorOf(world, ALICE, alice, closers);
    floorOf(world, BOB, bob, closers);
    const heard: (readonly [type: number, payload: Uint8Array])[] = [];
    const atBob = new GroupMedia({ service: "mcptt", keys: world.groupKeys(BOB, GROUP) });
    bob.mediaPort.receive(async (packet) => {
      const opened = await atBob.receive(packet);
      if (opened.ok) heard.push([opened.header.payloadType, rtpPayload(opened.packet, opened.header)!]);
    });
    const stream = new GroupMedia({ service: "mcptt", keys: world.groupKeys(ALICE, GROUP) }).sender(
      await talker.talk(),
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

  it("may use another format after it has ended", async () => {
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
