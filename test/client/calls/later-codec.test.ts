/** Speech by a codec that codes later, as those of browsers do. */
import { expect, it } from "vitest";
import {
  decodeG711,
  encodeG711,
  G711_FRAME,
  GroupMedia,
  readRtpHeader,
} from "../../../bindings/media/index.ts";
import { Identities } from "../../../roles/call/identities.ts";
import { Listener } from "../../../roles/call/listener.ts";
import { NamedTalkers } from "../../../roles/call/named-talkers.ts";
import type { SpeechCodec } from "../../../roles/call/speech-codec.ts";
import { VoiceSender } from "../../../roles/call/voice-sender.ts";
import { gmkOf } from "../../media/packets.ts";
import { seededRandom } from "../../support/random.ts";
import { frameOf, numberOf } from "./medium.ts";
import { ALL, Ring } from "./members.ts";

/** A-law whose coders give what they were given when they are told to, and nothing for an empty payload. */
function laterCodec() {
  const waiting: (() => void)[] = [];
  const later = <T>(value: T) => new Promise<T>((resolve) => waiting.push(() => resolve(value)));
  const codec: SpeechCodec = {
    format: { type: 8, encoding: "PCMA/8000" },
    samples: G711_FRAME,
    timestampStep: G711_FRAME,
    encoder: () => (frame) => later(encodeG711("PCMA", frame)),
    decoder: () => (payload) => later(payload.length === 0 ? undefined : decodeG711("PCMA", payload)),
  };
  const release = () => {
    for (const go of waiting.splice(0)) go();
  };
  return { codec, release };
}

const [said, heard] = gmkOf(0x0111111, ALL).map((key) => new Ring(key));
const random = seededRandom("later codec");

function senderBy(codec: SpeechCodec, now = () => 0) {
  const media = new GroupMedia({ keys: said!, service: "mcptt", random });
  return new VoiceSender({ stream: media.sender(), codec, now, random });
}

function listenerBy(codec: SpeechCodec, now = () => 0) {
  return new Listener({
    media: new GroupMedia({ keys: heard!, service: "mcptt", maxStreams: 1000 }),
    keys: heard!,
    identities: new Identities(heard!, () => ALL),
    talkers: new NamedTalkers(),
    ownSsrc: 1,
    codecs: [codec],
    now,
    onTalker: () => undefined,
    onMismatch: () => undefined,
  });
}

it("frames are sent and heard in the order in which they were said", async () => {
  const [ours, theirs] = [laterCodec(), laterCodec()];
  const [sender, listener] = [senderBy(ours.codec), listenerBy(theirs.codec)];
  sender.begin();
  const sealed = [1, 2, 3, 4, 5].map((n) => sender.seal(frameOf(n)));
  ours.release();
  const packets = await Promise.all(sealed);
  const numbers = packets.map((packet) => readRtpHeader(packet)!.sequenceNumber);
  expect(numbers).toEqual(numbers.map((_, i) => numbers[0]! + i));
  const taken = packets.map((packet) => listener.take(packet));
  expect(listener.counters).toMatchObject({ received: 5, buffered: 0, notSpeech: 0 });
  theirs.release();
  expect((await Promise.all(taken)).map((talker) => talker?.ssrc)).toEqual(Array(5).fill(sender.stream.ssrc));
  const played = Array.from({ length: 8 }, () => listener.play()).filter((frame) => frame !== undefined);
  expect(played.map(numberOf)).toEqual([1, 2, 3, 4, 5]);
});

it("a payload that turns out to be none of the format is counted as no speech", async () => {
  const { codec, release } = laterCodec();
  const silent = { ...codec, encoder: () => () => new Uint8Array(0) };
  const listener = listenerBy(codec);
  const taken = listener.take(await senderBy(silent).seal(frameOf(1)));
  release();
  expect(await taken).toBeUndefined();
  expect(listener.counters).toMatchObject({ received: 1, notSpeech: 1, buffered: 0 });
});

it("a frame whose stream gave way to newer ones while it was decoded is counted as dropped", async () => {
  const { codec, release } = laterCodec();
  const atOnce = { ...codec, encoder: () => (frame: Int16Array) => encodeG711("PCMA", frame) };
  let now = 0;
  const listener = listenerBy(codec, () => now);
  const taken: unknown[] = [];
  const count = 100;
  for (let n = 0; n < count; n++) {
    now += 20;
    taken.push(listener.take(await senderBy(atOnce, () => now).seal(frameOf(n))));
  }
  release();
  await Promise.all(taken);
  const { received, dropped, buffered } = listener.counters;
  expect(received).toBe(count);
  expect(dropped).toBeGreaterThan(0);
  expect(dropped + buffered).toBe(count);
});

it("a frame has as many samples as the codec says", async () => {
  const { codec } = laterCodec();
  const wide = {
    ...codec,
    samples: 960,
    encoder: () => (frame: Int16Array) => new Uint8Array(frame.length / 12),
  };
  const sender = senderBy(wide);
  expect((await sender.seal(new Int16Array(960))).length).toBeGreaterThan(80);
  expect(() => sender.seal(new Int16Array(160))).toThrow("frame of 160 samples, not 960");
});
