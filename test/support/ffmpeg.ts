/** ffmpeg as another end of a call, and the ports that it takes. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { openUdpPort } from "../../transport/datagram/udp-node.ts";

export const FFMPEG = "/usr/bin/ffmpeg";
export const HOST = "127.0.0.1";
const QUIET = ["-hide_banner", "-loglevel", "error"];

/** Plays the streams of a session description into a WAV file of 8,000 Hz, and ends after so many seconds of them. */
export function record(sdp: string, wav: string, seconds: number): ChildProcess {
  const out = ["-t", String(seconds), "-ar", "8000", "-ac", "1", "-c:a", "pcm_s16le", "-y", wav];
  return ffmpeg(["-protocol_whitelist", "file,udp,rtp", "-i", sdp, ...out]);
}

export function ffmpeg(args: readonly string[]): ChildProcess {
  return spawn(FFMPEG, [...QUIET, ...args]);
}

/** Empty when it ended well. */
export async function exitOf(child: ChildProcess): Promise<string> {
  let text = "";
  child.stderr!.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  const [status] = (await once(child, "exit")) as [number | null];
  return status === 0 ? "" : `${status}: ${text}`;
}

/** For RTP: ffmpeg takes the next port for RTCP. */
export async function evenPort(): Promise<number> {
  for (;;) {
    const port = await openUdpPort({ host: HOST });
    await port.close();
    if (port.address.port % 2 === 0) return port.address.port;
  }
}

/** A description of one stream of speech that comes to that port. */
export function sdpOf(port: number, type: number, encoding: string, parameters?: string): string {
  const session = ["v=0", `o=- 1 1 IN IP4 ${HOST}`, "s=call", `c=IN IP4 ${HOST}`, "t=0 0"];
  const format = parameters === undefined ? [] : [`a=fmtp:${type} ${parameters}`];
  const media = [`m=audio ${port} RTP/AVP ${type}`, `a=rtpmap:${type} ${encoding}`, ...format];
  return [...session, ...media, ""].join("\r\n");
}

/** Makes a byte stream of H.264: moving pictures, 25 a second, with a key frame every second. */
export async function makeH264(path: string, seconds: number, size = "640x360"): Promise<void> {
  const source = ["-f", "lavfi", "-i", `testsrc2=size=${size}:rate=25:duration=${seconds}`];
  const coder = ["-c:v", "libx264", "-preset", "ultrafast", "-profile:v", "baseline", "-g", "25", "-bf", "0"];
  const failure = await exitOf(
    ffmpeg([...source, ...coder, "-pix_fmt", "yuv420p", "-f", "h264", "-y", path]),
  );
  if (failure !== "") throw new Error(`ffmpeg: ${failure}`);
}

/** A digest of each picture of a byte stream of H.264, decoded. */
export async function picturesIn(path: string): Promise<string[]> {
  const decoder = ffmpeg(["-xerror", "-f", "h264", "-i", path, "-f", "framemd5", "-"]);
  let text = "";
  decoder.stdout!.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  const failure = await exitOf(decoder);
  if (failure !== "") throw new Error(`ffmpeg: ${failure}`);
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return lines.map((line) => line.split(",").at(-1)!.trim());
}
