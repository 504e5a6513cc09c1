/** Speech of ffmpeg and GStreamer, in their codecs and with SRTP of GStreamer, through a server that relays it without a key. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, it, vi } from "vitest";
import { concat } from "../../../base/bytes.ts";
import { groupCsId } from "../../../bindings/media/cs-ids.ts";
import { GroupMedia } from "../../../bindings/media/index.ts";
import { groupMki } from "../../../bindings/media/mki.ts";
import { shareOf } from "../../../cli/call/tone.ts";
import { readWav, SPEECH_RATE } from "../../../cli/call/wav.ts";
import type { SpeechFormat } from "../../../documents/sdp/call.ts";
import type { DatagramPort } from "../../../transport/datagram/ports.ts";
import { openUdpPort } from "../../../transport/datagram/udp-node.ts";
import { evenPort, exitOf, FFMPEG, ffmpeg, HOST, record, sdpOf } from "../../support/ffmpeg.ts";
import { describeWith } from "../../support/foreign.ts";
import { GSTREAMER, gstreamer, openedFrom, srtpOf, toneOf, toPort, toWav } from "../../support/gstreamer.ts";
import { ALICE, BOB, GROUP, McxWorld, NAMES } from "./mcx-server.ts";
import { type Closers, floorOf, joinWith, type OwnMedia } from "./own-media.ts";

const AMR_WB: SpeechFormat = { type: 97, encoding: "AMR-WB/16000", parameters: "octet-align=1" };
const OPUS: SpeechFormat = { type: 111, encoding: "opus/48000/2" };
const HERTZ = 700;
/** Longer than any player needs to start; what speaks is interrupted when enough was heard. */
const SPEECH_S = 60;
const FRAMES_PER_S = 50;
const MOST_MS = 90_000;
const WAV_BYTES = 1.5 * 2 * SPEECH_RATE;
/** Behind the MKI of each packet in the default profile (E.2.2); GStreamer and libsrtp have no ROC transport. */
const ROC = new Uint8Array(4);

let world: McxWorld;
const closers: Closers = [];
beforeEach(async () => {
  world = await McxWorld.create({}, false);
  world.directory.groups.set(GROUP, new Set(NAMES));
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await world.close();
});

/** Alice, who has the floor under `ssrc`, and Bob, in one call. */
async function twoInCall(format: SpeechFormat) {
  const [alice, bob] = [
    await joinWith(world, ALICE, [format], closers),
    await joinWith(world, BOB, [format], closers),
  ];
  const talker = floorOf(world, ALICE, alice, closers);
  floorOf(world, BOB, bob, closers);
  return { alice, bob, ssrc: await talker.talk() };
}

const mediaOf = (user: string, roc?: "none") =>
  new GroupMedia({ service: "mcptt", keys: world.groupKeys(user, GROUP), ...(roc && { roc }) });

/** Keys of Alice's stream, as `user` derives them from their GMK. */
function keysAt(user: string) {
  const gukId = world.groupKeys(ALICE, GROUP).sending()!.ukId;
  const gmk = world.groupKeys(user, GROUP).sending()!;
  const mki = groupMki({ gmkId: gmk.keyId, gukId });
  return { ...gmk.srtpMaster(groupCsId("mcptt"), gukId), mki };
}

async function openPort(): Promise<DatagramPort> {
  const port = await openUdpPort({ host: HOST });
  closers.push(() => port.close());
  return port;
}

const toServer = (own: OwnMedia, packet: Uint8Array) =>
  own.mediaPort.send(packet, own.answer.media, () => undefined);

const sizeOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** The first second of a player's file, apart from its start, is the tone. */
function expectTone(wav: string): void {
  const played = readWav(readFileSync(wav), wav);
  expect(played.length).toBeGreaterThanOrEqual(SPEECH_RATE);
  expect(shareOf(HERTZ, played.subarray(SPEECH_RATE / 4, SPEECH_RATE))).toBeGreaterThan(0.8);
}

describeWith("ffmpeg", FFMPEG, "speech of ffmpeg", () => {
  describeWith("gstreamer1.0-plugins-bad", GSTREAMER, "and GStreamer", () => {
    const folder = mkdtempSync(join(tmpdir(), "foreign-speech-"));
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    it("AMR-WB that GStreamer encodes and encrypts is relayed, decrypted by a member and played by ffmpeg", {
      timeout: MOST_MS,
    }, async () => {
      const { alice, bob, ssrc } = await twoInCall(AMR_WB);
      const [sdp, wav] = [join(folder, "amr.sdp"), join(folder, "amr.wav")];
      const to = { host: HOST, port: await evenPort() };
      writeFileSync(sdp, sdpOf(to.port, AMR_WB.type, AMR_WB.encoding, AMR_WB.parameters));
      const played = exitOf(record(sdp, wav, 1.2));

      const [source, bridge, atBob] = [await openPort(), await openPort(), mediaOf(BOB)];
      source.receive((packet) => toServer(alice, concat(packet, ROC)));
      const refused = new Set<string>();
      bob.mediaPort.receive(async (packet) => {
        const opened = await atBob.receive(packet);
        if (opened.ok) bridge.send(opened.packet, to, () => undefined);
        else refused.add(opened.fault);
      });
      const sender = gstreamer(
        toneOf(HERTZ, 16_000, SPEECH_S * FRAMES_PER_S),
        "voamrwbenc",
        `rtpamrpay pt=${AMR_WB.type} ssrc=${ssrc} seqnum-offset=100`,
        srtpOf(keysAt(ALICE)),
        toPort(source.address.port),
      );
      const sent = exitOf(sender);
      expect(await played).toBe("");
      sender.kill("SIGINT");
      expect(await sent).toBe("");
      expect([...refused]).toEqual([]);
      expectTone(wav);
    });

    it("Opus of ffmpeg that a member encrypts is relayed, decrypted and played by GStreamer", {
      timeout: MOST_MS,
    }, async () => {
      const { alice, bob, ssrc } = await twoInCall(OPUS);
      const wav = join(folder, "opus.wav");
      const [source, bridge] = [await openPort(), await openPort()];
      const to = { host: HOST, port: await evenPort() };
      const stream = { ssrc, type: OPUS.type, encoding: "OPUS", rate: 48_000 };
      const player = gstreamer(
        openedFrom(to.port, keysAt(BOB), stream),
        "rtpopusdepay",
        "opusdec",
        toWav(wav),
      );
      const played = exitOf(player);

      const atAlice = mediaOf(ALICE, "none").sender(ssrc);
      source.receive(async (packet) => toServer(alice, concat(await atAlice.protect(packet), ROC)));
      bob.mediaPort.receive((packet) => bridge.send(packet.slice(0, -ROC.length), to, () => undefined));
      const input = `sine=frequency=${HERTZ}:sample_rate=48000:duration=${SPEECH_S}`;
      const opus = ["-c:a", "libopus", "-ac", "1", "-frame_duration", "20", "-f", "rtp"];
      const rtp = ["-payload_type", String(OPUS.type), "-ssrc", String(ssrc | 0), "-seq", "100"];
      const url = `rtp://${HOST}:${source.address.port}`;
      const sender = ffmpeg(["-re", "-f", "lavfi", "-i", input, ...opus, ...rtp, url]);
      const sent = exitOf(sender);
      await vi.waitFor(() => expect(sizeOf(wav)).toBeGreaterThan(WAV_BYTES), SPEECH_S * 1000);
      player.kill("SIGINT");
      expect(await played).toBe("");
      sender.kill("SIGINT");
      await sent;
      expectTone(wav);
    });
  });
});
