/** ffmpeg plays a stream that we decrypted, and sends one that we encrypt. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
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
import { describeWith } from "../support/foreign.ts";
import { gmkOf } from "./packets.ts";

const FFMPEG = "/usr/bin/ffmpeg";
const HOST = "127.0.0.1";
const QUIET = ["-hide_banner", "-loglevel", "error"];
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

async function exitOf(child: ChildProcess): Promise<string> {
  let text = "";
  child.stderr!.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  const [status] = (await once(child, "exit")) as [number | null];
  return status === 0 ? "" : `${status}: ${text}`;
}

/** ffmpeg takes the next one for RTCP. */
async function evenPort(): Promise<number> {
  for (;;) {
    const port = await openUdpPort({ host: HOST });
    await port.close();
    if (port.address.port % 2 === 0) return port.address.port;
  }
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
    const args = [...QUIET, ...source, "-c:a", "pcm_alaw", "-ac", "1", ...rtp, to];
    expect(await exitOf(spawn(FFMPEG, args))).toBe("");
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
    const lines = ["v=0", `o=- 1 1 IN IP4 ${HOST}`, "s=call", `c=IN IP4 ${HOST}`, "t=0 0"];
    writeFileSync(
      sdp,
      [...lines, `m=audio ${to.port} RTP/AVP ${PCMA}`, "a=rtpmap:8 PCMA/8000", ""].join("\r\n"),
    );
    const out = ["-t", "1.2", "-ar", String(SPEECH_RATE), "-ac", "1", "-c:a", "pcm_s16le", "-y", wav];
    const player = spawn(FFMPEG, [...QUIET, "-protocol_whitelist", "file,udp,rtp", "-i", sdp, ...out]);
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
