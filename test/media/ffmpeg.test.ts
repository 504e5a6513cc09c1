/** ffmpeg plays a stream that we decrypted, and sends one that we encrypt. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import {
  decodeG711,
  encodeG711,
  G711_FRAME,
  GroupMedia,
  readRtpHeader,
  rtpPayload,
  type UnprotectedRtp,
  writeRtpPacket,
} from "../../bindings/media/index.ts";
import { shareOf, tone } from "../../cli/call/tone.ts";
import { readWav, SPEECH_RATE } from "../../cli/call/wav.ts";
import { openUdpPort } from "../../transport/datagram/udp-node.ts";
import { evenPort, exitOf, FFMPEG, ffmpeg, HOST, record, sdpOf } from "../support/ffmpeg.ts";
import { describeWith } from "../support/foreign.ts";
import { gmkOf } from "./packets.ts";

const PCMA = 8;

function group() {
  const [alice, bob] = gmkOf(0x0313131, ["sip:alice@home.example", "sip:bob@home.example"]);
  const keys = [alice!, bob!];
  const receiving = (gmkId: number) => (gmkId === alice!.keyId ? bob! : undefined);
  const [a, b] = keys.map(
    (key) => new GroupMedia({ keys: { sending: () => key, receiving }, service: "mcptt" }),
  );
  return { alice: a!, bob: b! };
}

describeWith("ffmpeg", FFMPEG, "ffmpeg", () => {
  const folder = mkdtempSync(join(tmpdir(), "ffmpeg-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("sends a tone, which a member hears through our encryption", async () => {
    const { alice, bob } = group();
    const ssrc = 0x12345678;
    const sender = alice.sender(ssrc);
    const heard: Int16Array[] = [];
    const port = await openUdpPort({ host: HOST });
    port.receive((packet) => {
      const clear = new Uint8Array(packet);
      const sealed = sender.protect(clear) as Uint8Array;
      expect(Buffer.from(sealed).indexOf(clear.subarray(12, 44))).toBe(-1);
      const opened = bob.receive(sealed) as UnprotectedRtp;
      expect(opened).toMatchObject({ ok: true, packet: clear });
      heard.push(decodeG711("PCMA", rtpPayload(opened.packet, opened.header)!));
    });
    const source = ["-re", "-f", "lavfi", "-i", `sine=frequency=440:sample_rate=${SPEECH_RATE}:duration=1.5`];
    const rtp = ["-f", "rtp", "-payload_type", String(PCMA), "-ssrc", String(ssrc)];
    const to = `rtp://${HOST}:${port.address.port}?pkt_size=172`;
    expect(await exitOf(ffmpeg([...source, "-c:a", "pcm_alaw", "-ac", "1", ...rtp, to]))).toBe("");
    await port.close();
    const samples = Int16Array.from(heard.flatMap((frame) => [...frame]));
    expect(samples.length).toBeGreaterThanOrEqual(1.4 * SPEECH_RATE);
    expect(shareOf(440, samples)).toBeGreaterThan(0.95);
  });

  it("plays what a member decrypted", async () => {
    const { alice, bob } = group();
    const sender = alice.sender();
    const to = { host: HOST, port: await evenPort() };
    const [sdp, wav] = [join(folder, "call.sdp"), join(folder, "call.wav")];
    writeFileSync(sdp, sdpOf(to.port, PCMA, "PCMA/8000"));
    const player = record(sdp, wav, 1.2);
    let isOver = false;
    const exit = exitOf(player).finally(() => {
      isOver = true;
    });
    const port = await openUdpPort({ host: HOST });
    const samples = tone(700, SPEECH_RATE);
    // In time, until ffmpeg has heard enough: it listens some time after it was started.
    for (let n = 0; !isOver && n < 1000; n++) {
      const at = (n % 50) * G711_FRAME;
      const fields = {
        marker: n === 0,
        payloadType: PCMA,
        sequenceNumber: n,
        timestamp: n * G711_FRAME,
        ssrc: sender.ssrc,
      };
      const clear = writeRtpPacket(fields, encodeG711("PCMA", samples.subarray(at, at + G711_FRAME)));
      const opened = bob.receive(sender.protect(clear) as Uint8Array) as UnprotectedRtp;
      expect(readRtpHeader(opened.packet)?.sequenceNumber).toBe(n);
      port.send(opened.packet, to, () => undefined);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    if (!isOver) player.kill("SIGINT");
    expect(await exit).toBe("");
    await port.close();
    const played = readWav(readFileSync(wav), wav);
    expect(played.length).toBeGreaterThanOrEqual(SPEECH_RATE);
    expect(shareOf(700, played.subarray(0, SPEECH_RATE))).toBeGreaterThan(0.95);
  });
});
