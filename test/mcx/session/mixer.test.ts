/** The pace of the mixer on a clock of its own, when the process stalls. */
import { expect, it } from "vitest";
import { G711_FRAME, GroupMedia, type RtpHeader, readRtpHeader } from "../../../bindings/media/index.ts";
import { G711_CODECS, g711Codec, type SpeechCodec } from "../../../roles/call/speech-codec.ts";
import { VoiceSender } from "../../../roles/call/voice-sender.ts";
import { Mixer } from "../../../roles/mcx/session/mixer.ts";
import { frameOf } from "../../client/calls/medium.ts";
import { ALICE, ALL, BOB, Ring } from "../../client/calls/members.ts";
import { gmkOf } from "../../media/packets.ts";
import { VirtualClock } from "../../support/clock.ts";
import { seededRandom } from "../../support/random.ts";

interface Mixed extends RtpHeader {
  readonly at: number;
}

/** Alice talks for so many frames, of which the last ones come out when she has ended. The process stalls before the one that `stall` names, and what was said meanwhile comes. */
async function mixed(
  frames: number,
  stall?: { readonly before: number; readonly frames: number },
  codec: () => SpeechCodec = () => G711_CODECS[0]!,
) {
  const clock = new VirtualClock();
  const random = seededRandom("mixer");
  const [own, server] = gmkOf(0x0111111, [ALICE, "sip:mcx@home.example"]);
  const out: Mixed[] = [];
  const mixer = new Mixer({
    keys: new Ring(server!),
    service: "mcptt",
    codec,
    participants: () => ALL,
    send: (to, packet) => void (to === BOB && out.push({ ...readRtpHeader(packet)!, at: clock.now() })),
    clock,
    random,
  });
  const media = new GroupMedia({ keys: new Ring(own!), service: "mcptt", random });
  const alice = new VoiceSender({
    stream: media.sender(),
    codec: g711Codec("PCMA"),
    now: () => clock.now(),
    random,
  });
  for (let n = 0; n < frames; n++) {
    if (n === stall?.before) {
      clock.stall(stall.frames * 20);
      for (let m = 0; m < stall.frames; m++) mixer.take(ALICE, await alice.seal(frameOf(n)));
    }
    mixer.take(ALICE, await alice.seal(frameOf(n)));
    await clock.pass(20);
  }
  const end = clock.now();
  await clock.pass(500);
  mixer.close();
  return { packets: out, heldBack: out.filter(({ at }) => at > end).length };
}

function expectPaced(packets: readonly Mixed[]) {
  const [first] = packets;
  for (const [n, { at, timestamp, sequenceNumber }] of packets.entries()) {
    expect((sequenceNumber - first!.sequenceNumber) & 0xffff).toBe(n);
    if (n > 0) expect(at - packets[n - 1]!.at, `packet ${n}`).toBeGreaterThanOrEqual(15);
    const samples = (at - first!.at) * 8;
    expect(Math.abs(((timestamp - first!.timestamp) >>> 0) - samples)).toBeLessThanOrEqual(G711_FRAME);
  }
}

it("the mixer mixes a frame every 20 ms, with time stamps that go on with time", async () => {
  const { packets } = await mixed(60);
  expectPaced(packets);
  expect(packets).toHaveLength(60);
});

it("the mixer leaves steps out after a stall instead of mixing several at once, and has its old delay two seconds later", async () => {
  const [even, stalled] = [await mixed(160), await mixed(160, { before: 40, frames: 8 })];
  expectPaced(stalled.packets);
  expect(stalled.packets.filter(({ marker }) => marker)).toHaveLength(2);
  expect(even.heldBack).toBe(2);
  expect(stalled.heldBack).toBe(even.heldBack);
  const shortly = await mixed(48, { before: 40, frames: 8 });
  expect(shortly.heldBack).toBeGreaterThan(even.heldBack + 3);
});

it("the mixer sends in the law of the call, also when that becomes another one", async () => {
  let asked = 0;
  const { packets } = await mixed(60, undefined, () => G711_CODECS[asked++ < 20 ? 0 : 1]!);
  expectPaced(packets);
  const types = packets.map(({ payloadType }) => payloadType);
  expect([...new Set(types)]).toEqual([8, 0]);
  expect(types).toEqual([...types].sort((a, b) => b - a));
});

it("the mixer plays nothing more of a removed member", async () => {
  const clock = new VirtualClock();
  const random = seededRandom("put out");
  const [own, server] = gmkOf(0x0111111, [ALICE, "sip:mcx@home.example"]);
  const sent: string[] = [];
  let participants = ALL;
  const mixer = new Mixer({
    keys: new Ring(server!),
    service: "mcptt",
    codec: () => G711_CODECS[0]!,
    participants: () => participants,
    send: (to) => void sent.push(to),
    clock,
    random,
  });
  const media = new GroupMedia({ keys: new Ring(own!), service: "mcptt", random });
  const alice = new VoiceSender({
    stream: media.sender(),
    codec: g711Codec("PCMA"),
    now: () => clock.now(),
    random,
  });
  for (let n = 0; n < 20; n++) {
    mixer.take(ALICE, await alice.seal(frameOf(n)));
    await clock.pass(20);
  }
  expect(sent.splice(0)).toContain(BOB);
  participants = ALL.filter((user) => user !== ALICE);
  await clock.pass(500);
  expect(sent).toEqual([]);
  mixer.close();
});
