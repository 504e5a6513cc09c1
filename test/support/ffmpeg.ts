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
