/** Speech as Opus: between our clients, and to ffmpeg, by way of a server that relays it without a key. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { pause } from "../../../base/deadline.ts";
import { G711_FRAME, GroupMedia, readRtpHeader, rtpPayload } from "../../../bindings/media/index.ts";
import { opusCodec } from "../../../cli/call/opus.ts";
import { speechCodecs } from "../../../cli/call/speech.ts";
import { shareOf, tone } from "../../../cli/call/tone.ts";
import { readWav, SPEECH_RATE } from "../../../cli/call/wav.ts";
import type { McxCall } from "../../../roles/client/mcx/index.ts";
import { openUdpPort } from "../../../transport/datagram/udp-node.ts";
import { FRAME_MS } from "../../client/calls/say.ts";
import { evenPort, exitOf, FFMPEG, ffmpeg, HOST, record, sdpOf } from "../../support/ffmpeg.ts";
import { describeWith } from "../../support/foreign.ts";
import { takeFloor } from "./floor.ts";
import { ALICE, BOB, CAROL, GROUP, McxWorld, NAMES, until } from "./mcx-server.ts";

const HERTZ = 700;

let world: McxWorld;
beforeEach(async () => {
  world = await McxWorld.create({}, false);
  world.directory.groups.set(GROUP, new Set(NAMES));
});
afterEach(() => world.close());

async function inCall(user: string, preferred: "g711" | "opus"): Promise<McxCall> {
  const { client } = await world.device(user, { codecs: await speechCodecs(preferred) });
  await client.bind();
  return client.call(GROUP);
}

/** Says a tone, frame by frame, until `isEnough`. */
async function say({ call }: McxCall, isEnough: () => boolean): Promise<void> {
  await takeFloor(call);
  const samples = tone(HERTZ, SPEECH_RATE);
  for (let n = 0; !isEnough() && n < 3000; n++) {
    const at = (n * G711_FRAME) % samples.length;
    await call.send(samples.subarray(at, at + G711_FRAME));
    await pause(FRAME_MS);
  }
}

const frames = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, n) =>
    tone(HERTZ, SPEECH_RATE).subarray((from + n) * G711_FRAME, (from + n + 1) * G711_FRAME),
  );

it("a tone comes through an encoder and a decoder of Opus", async () => {
  const codec = await opusCodec();
  const [encode, decode] = [codec.encoder(), codec.decoder()];
  const heard = frames(0, 50).map((frame) => decode(encode(frame))!);
  expect(shareOf(HERTZ, Int16Array.from(heard.slice(5).flatMap((frame) => [...frame])))).toBeGreaterThan(
    0.95,
  );
});

it("a payload that is not 20 ms of Opus is refused", async () => {
  const decode = (await opusCodec()).decoder();
  // RFC 6716 3.1: code 3 with no frame, 10 ms of CELT, and 60 ms of SILK.
  for (const octets of [[], [0xff], [0x1b, 0], [0xd0, 1, 2, 3], [0x18, 1, 2, 3]])
    expect(decode(Uint8Array.from(octets))).toBeUndefined();
});

describe("a call in Opus", () => {
  it("is chosen when one side offers it, also where G.711 is preferred", async () => {
    const alice = await inCall(ALICE, "opus");
    const bob = await inCall(BOB, "g711");
    const heard: number[] = [];
    await say(alice, () => {
      heard.push(...(bob.call.play() ?? []));
      return heard.length >= SPEECH_RATE;
    });
    expect(shareOf(HERTZ, Int16Array.from(heard.slice(SPEECH_RATE / 4)))).toBeGreaterThan(0.8);
    expect(bob.call.counters.media.notSpeech).toBe(0);
    // A user who answers talks in the format of the call.
    alice.call.release();
    await until(() => bob.call.floor.state === "idle");
    const { received } = alice.call.counters.media;
    await say(bob, () => alice.call.counters.media.received > received + 5);
    expect(alice.call.counters.media.notSpeech).toBe(0);
  });

  it("goes on in G.711 when a member without Opus joins, and all hear each other", async () => {
    const [alice, bob] = [await inCall(ALICE, "opus"), await inCall(BOB, "opus")];
    const { client } = await world.device(CAROL);
    await client.bind();
    const carol = await client.call(GROUP);
    const heard: number[] = [];
    await say(alice, () => {
      heard.push(...(carol.call.play() ?? []));
      return heard.length >= SPEECH_RATE;
    });
    expect(shareOf(HERTZ, Int16Array.from(heard.slice(SPEECH_RATE / 4)))).toBeGreaterThan(0.8);
    expect(bob.call.counters.media.notSpeech).toBe(0);
    alice.call.release();
    await until(() => carol.call.floor.state === "idle");
    const { received } = bob.call.counters.media;
    await say(carol, () => bob.call.counters.media.received > received + 5);
    expect([alice, bob].map(({ call }) => call.counters.media.notSpeech)).toEqual([0, 0]);
  });

  describeWith("ffmpeg", FFMPEG, "speech in Opus", () => {
    const folder = mkdtempSync(join(tmpdir(), "opus-"));
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    it("plays in ffmpeg after a member has decrypted it", async () => {
      const alice = await inCall(ALICE, "opus");
      const to = { host: HOST, port: await evenPort() };
      const [sdp, wav] = [join(folder, "call.sdp"), join(folder, "call.wav")];
      writeFileSync(sdp, sdpOf(to.port, 111, "opus/48000/2"));
      const player = record(sdp, wav, 1.2);
      let isOver = false;
      const exit = exitOf(player).finally(() => {
        isOver = true;
      });

      // Bob's media are taken by a receiver of this test, which gives them to ffmpeg in clear.
      const [media, floor] = [await openUdpPort({ host: HOST }), await openUdpPort({ host: HOST })];
      const { client } = await world.device(BOB);
      await client.bind();
      const { format } = await opusCodec();
      await client.join(GROUP, {
        offer: { media: media.address, floor: floor.address, speech: [format] },
      });
      const atBob = new GroupMedia({ service: "mcptt", keys: world.groupKeys(BOB, GROUP) });
      const bridge = await openUdpPort({ host: HOST });
      const types = new Set<number>();
      media.receive(async (packet) => {
        const opened = await atBob.receive(packet);
        if (!opened.ok) return;
        types.add(readRtpHeader(opened.packet)!.payloadType);
        bridge.send(opened.packet, to, () => undefined);
      });
      try {
        await say(alice, () => isOver);
        if (!isOver) player.kill("SIGINT");
        expect(await exit).toBe("");
      } finally {
        for (const port of [media, floor, bridge]) await port.close();
      }
      expect([...types]).toEqual([111]);
      const played = readWav(readFileSync(wav), wav);
      expect(played.length).toBeGreaterThanOrEqual(SPEECH_RATE);
      expect(shareOf(HERTZ, played.subarray(SPEECH_RATE / 4, SPEECH_RATE))).toBeGreaterThan(0.8);
    });

    it("that ffmpeg encoded is decoded", async () => {
      const codec = await opusCodec();
      const decode = codec.decoder();
      const heard: number[] = [];
      const port = await openUdpPort({ host: HOST });
      port.receive((packet) => {
        const header = readRtpHeader(packet)!;
        heard.push(...(decode(rtpPayload(packet, header)!) ?? []));
      });
      const source = ["-re", "-f", "lavfi", "-i", `sine=frequency=${HERTZ}:sample_rate=48000:duration=1.5`];
      const rtp = [
        "-c:a",
        "libopus",
        "-ac",
        "1",
        "-frame_duration",
        "20",
        "-f",
        "rtp",
        "-payload_type",
        "111",
      ];
      const sender = ffmpeg([...source, ...rtp, `rtp://${HOST}:${port.address.port}`]);
      expect(await exitOf(sender)).toBe("");
      await port.close();
      expect(heard.length).toBeGreaterThanOrEqual(SPEECH_RATE);
      expect(shareOf(HERTZ, Int16Array.from(heard.slice(SPEECH_RATE / 4)))).toBeGreaterThan(0.95);
    });
  });
});
