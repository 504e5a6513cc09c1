/** Video of ffmpeg and GStreamer, also with SRTP of GStreamer, through a server that relays it without a key. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, it } from "vitest";
import { concat } from "../../../base/bytes.ts";
import { groupCsId } from "../../../bindings/media/cs-ids.ts";
import {
  accessUnitsOf,
  H264_RATE,
  H264Depacketiser,
  packetiseH264,
  readRtpHeader,
  splitAnnexB,
  writeAnnexB,
} from "../../../bindings/media/index.ts";
import { groupMki } from "../../../bindings/media/mki.ts";
import type { ReceivedVideo } from "../../../roles/client/calls/video-call.ts";
import { H264 } from "../../../roles/client/mcx/video-calling.ts";
import type { DatagramAddress, DatagramPort } from "../../../transport/datagram/ports.ts";
import { openUdpPort } from "../../../transport/datagram/udp-node.ts";
import { evenPort, exitOf, FFMPEG, HOST, makeH264, picturesIn } from "../../support/ffmpeg.ts";
import { describeWith, describeWithAll } from "../../support/foreign.ts";
import { GSTREAMER_VIDEO, gstreamer, isHeard, openedFrom, srtpOf, toPort } from "../../support/gstreamer.ts";
import { ALICE, BOB, GROUP, McxWorld, NAMES, until } from "./mcx-server.ts";

const MOST_MS = 90_000;
const FPS = 25;
/** Behind the MKI of each packet in the default profile (E.2.2); GStreamer and libsrtp have no ROC transport. */
const ROC = new Uint8Array(4);
/** Packets without the ROC begin at 0 (RFC 3711 3.3.1). */
const FROM_ZERO = { take: () => ({ first: 0, end: 2 ** 16 }) };

let world: McxWorld;
const closers: (() => unknown)[] = [];
beforeEach(async () => {
  world = await McxWorld.create();
  world.directory.groups.set(GROUP, new Set(NAMES));
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await world.close();
});

/** The packets of a member's video as they are on the network. */
interface Tap {
  /** Gets what comes. */
  onCome?: (packet: Uint8Array) => void;
  /** Gets what the member sends, which does not leave then. */
  onGo?: (packet: Uint8Array, to: DatagramAddress) => void;
}

/** A member in the call with video. */
async function enter(user: string, tap: Tap = {}) {
  const seen: ReceivedVideo[] = [];
  const ports: DatagramPort[] = [];
  const { client } = await world.device(user, {
    mediaBlocks: FROM_ZERO,
    tap(port) {
      ports.push(port);
      // The first port is that of video.
      if (ports.length > 1) return port;
      return {
        ...port,
        receive: (handler) =>
          port.receive((packet, from) => {
            tap.onCome?.(packet.slice());
            handler(packet, from);
          }),
        send(packet, to, done) {
          if (tap.onGo === undefined) return port.send(packet, to, done);
          tap.onGo(packet.slice(), to);
          done(false);
        },
      };
    },
  });
  await client.bind();
  const { call, hangUp } = await client.video(GROUP, {
    members: () => NAMES,
    onVideo: (video) => seen.push(video),
  });
  closers.push(hangUp);
  return { call, seen, port: ports[0]! };
}

type Member = Awaited<ReturnType<typeof enter>>;

async function transmit({ call }: Member): Promise<void> {
  call.request();
  await until(() => call.transmission.state === "granted");
}

/** The SSRC that a member transmits under, and where their packets go; the one that tells does not leave. */
async function streamOf({ call }: Member, tap: Tap): Promise<{ ssrc: number; to: DatagramAddress }> {
  const told = new Promise<{ ssrc: number; to: DatagramAddress }>((resolve) => {
    tap.onGo = (packet, to) => resolve({ ssrc: readRtpHeader(packet)!.ssrc, to });
  });
  await call.send(Uint8Array.of(0x65), 0, true);
  const stream = await told;
  delete tap.onGo;
  return stream;
}

/** Keys of Alice's stream, as `user` derives them from their GMK. */
function keysAt(user: string) {
  const gukId = world.groupKeys(ALICE, GROUP).sending()!.ukId;
  const gmk = world.groupKeys(user, GROUP).sending()!;
  const mki = groupMki({ gmkId: gmk.keyId, gukId });
  return { ...gmk.srtpMaster(groupCsId("mcvideo"), gukId), mki };
}

/** Sends all pictures, faster than they are shown. */
async function show({ call }: Member, pictures: readonly Uint8Array[][]): Promise<void> {
  for (const [n, units] of pictures.entries()) {
    const payloads = packetiseH264(units);
    for (const [i, payload] of payloads.entries()) {
      await call.send(payload, (n * H264_RATE) / FPS, i === payloads.length - 1);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function unitsOf(seen: readonly ReceivedVideo[]): Uint8Array[] {
  const receiver = new H264Depacketiser();
  return seen.flatMap(({ payload, sequenceNumber }) => receiver.take(payload, sequenceNumber));
}

const sizeOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

async function openPort(): Promise<DatagramPort> {
  const port = await openUdpPort({ host: HOST, receiveBuffer: 1 << 20 });
  closers.push(() => port.close());
  return port;
}

describeWith("ffmpeg", FFMPEG, "video of ffmpeg", () => {
  const folder = mkdtempSync(join(tmpdir(), "foreign-video-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const [made, got] = [join(folder, "made.h264"), join(folder, "got.h264")];

  it("is decoded by ffmpeg behind the relay, each picture as it was", { timeout: MOST_MS }, async () => {
    await makeH264(made, 3);
    const pictures = accessUnitsOf(splitAnnexB(readFileSync(made)));
    expect(pictures).toHaveLength(3 * FPS);
    const [alice, bob] = [await enter(ALICE), await enter(BOB)];
    await transmit(alice);
    await show(alice, pictures);
    await until(() => unitsOf(bob.seen).length === pictures.flat().length);
    writeFileSync(got, writeAnnexB(unitsOf(bob.seen)));
    const digests = await picturesIn(made);
    expect(digests).toHaveLength(3 * FPS);
    expect(await picturesIn(got)).toEqual(digests);
    expect(new Set(bob.seen.map(({ user }) => user))).toEqual(new Set([ALICE]));
    expect(world.videoSessions.totals()).toMatchObject({ dropped: 0, tooFast: 0, mixer_opened: 0 });
  });

  describeWithAll(GSTREAMER_VIDEO, "and GStreamer", () => {
    it("is decrypted and unpacked by GStreamer as it comes from the relay", {
      timeout: MOST_MS,
    }, async () => {
      await makeH264(made, 2);
      const pictures = accessUnitsOf(splitAnnexB(readFileSync(made)));
      const atAlice: Tap = {};
      const atBob: Tap = {};
      const [alice] = [await enter(ALICE, atAlice), await enter(BOB, atBob)];
      await transmit(alice);
      const { ssrc } = await streamOf(alice, atAlice);
      const bridge = await openPort();
      const to = { host: HOST, port: await evenPort() };
      atBob.onCome = (packet) => bridge.send(packet.slice(0, -ROC.length), to, () => undefined);
      const player = gstreamer(
        openedFrom(to.port, keysAt(BOB), {
          ssrc,
          type: H264.type,
          encoding: "H264",
          rate: H264_RATE,
          media: "video",
        }),
        "rtph264depay",
        "video/x-h264,stream-format=byte-stream,alignment=au",
        `filesink buffer-mode=unbuffered location=${got}`,
      );
      const played = exitOf(player);
      await until(() => isHeard(to.port));
      await show(alice, pictures);
      const whole = pictures.flat().reduce((sum, unit) => sum + unit.length, 0);
      await until(() => sizeOf(got) >= whole);
      player.kill("SIGINT");
      expect(await played).toBe("");
      expect(await picturesIn(got)).toEqual(await picturesIn(made));
    });

    it("of GStreamer, packed and encrypted there, is decrypted by a member and decoded by ffmpeg", {
      timeout: MOST_MS,
    }, async () => {
      const atAlice: Tap = {};
      const [alice, bob] = [await enter(ALICE, atAlice), await enter(BOB)];
      await transmit(alice);
      const { ssrc, to } = await streamOf(alice, atAlice);
      const source = await openPort();
      source.receive((packet) => alice.port.send(concat(packet, ROC), to, () => undefined));
      const sender = gstreamer(
        "videotestsrc is-live=true num-buffers=50",
        "video/x-raw,width=640,height=360,framerate=25/1",
        "x264enc tune=zerolatency key-int-max=25 speed-preset=ultrafast",
        "video/x-h264,profile=baseline,stream-format=byte-stream,alignment=au",
        `tee name=t t.`,
        "queue",
        `filesink location=${made} t.`,
        "queue",
        `rtph264pay pt=${H264.type} ssrc=${ssrc} seqnum-offset=100 mtu=1200 aggregate-mode=zero-latency`,
        srtpOf(keysAt(ALICE)),
        toPort(source.address.port),
      );
      expect(await exitOf(sender)).toBe("");
      const digests = await picturesIn(made);
      expect(digests).toHaveLength(50);
      // Access unit delimiters may be left out, so that pictures are counted by their markers.
      await until(() => bob.seen.filter(({ marker }) => marker).length === digests.length);
      writeFileSync(got, writeAnnexB(unitsOf(bob.seen)));
      expect(await picturesIn(got)).toEqual(digests);
    });
  });
});
