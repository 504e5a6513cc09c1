/** GStreamer as another end of a call, with its own codecs and its own SRTP. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { toHex } from "../../base/bytes.ts";
import { HOST } from "./ffmpeg.ts";

/** Encoder of AMR-WB; .ci/run installs it with all that the pipelines need. */
export const GSTREAMER = "/usr/lib/x86_64-linux-gnu/gstreamer-1.0/libgstvoamrwbenc.so";

const PLUGINS = "/usr/lib/x86_64-linux-gnu/gstreamer-1.0";
/** What encodes, packs, unpacks and encrypts H.264, by the packages that have it. */
export const GSTREAMER_VIDEO = {
  "gstreamer1.0-plugins-good": `${PLUGINS}/libgstrtp.so`,
  "gstreamer1.0-plugins-bad": `${PLUGINS}/libgstsrtp.so`,
  "gstreamer1.0-plugins-ugly": `${PLUGINS}/libgstx264.so`,
};

/** Elements of a pipeline, which is interrupted with SIGINT and then ends what it writes. */
export function gstreamer(...elements: readonly string[]): ChildProcess {
  return spawn("gst-launch-1.0", ["--quiet", "--eos-on-shutdown", ...elements.join(" ! ").split(" ")]);
}

/** A tone at the pace of the clock, in frames of 20 ms. */
export const toneOf = (hertz: number, rate: number, frames: number) =>
  `audiotestsrc is-live=true freq=${hertz} volume=0.5 samplesperbuffer=${rate / 50} num-buffers=${frames} ! audio/x-raw,rate=${rate},channels=1`;

export const toPort = (port: number) => `udpsink host=${HOST} port=${port}`;

/** Speech of 8,000 Hz into a WAV file. */
export const toWav = (path: string) =>
  `audioconvert ! audioresample ! audio/x-raw,format=S16LE,rate=8000,channels=1 ! wavenc ! filesink buffer-mode=unbuffered location=${path}`;

export interface SrtpKeys {
  readonly key: Uint8Array;
  readonly salt: Uint8Array;
  readonly mki: Uint8Array;
}

/** SRTP of GStreamer with AEAD_AES_128_GCM and MKI, without ROC transport, which it does not have. */
export const srtpOf = ({ key, salt, mki }: SrtpKeys) =>
  `srtpenc key=${toHex(key)}${toHex(salt)} mki=${toHex(mki)} rtp-cipher=aes-128-gcm rtp-auth=null rtcp-cipher=aes-128-gcm rtcp-auth=null`;

/** One stream of SRTP that comes to that port, opened. */
export function openedFrom(
  port: number,
  { key, salt, mki }: SrtpKeys,
  stream: {
    readonly ssrc: number;
    readonly type: number;
    readonly encoding: string;
    readonly rate: number;
    /** Audio when absent. */
    readonly media?: "video";
  },
): string {
  const caps = [
    "application/x-srtp",
    `media=(string)${stream.media ?? "audio"}`,
    `payload=(int)${stream.type}`,
    `clock-rate=(int)${stream.rate}`,
    `encoding-name=(string)${stream.encoding}`,
    `ssrc=(uint)${stream.ssrc}`,
    `srtp-key=(buffer)${toHex(key)}${toHex(salt)}`,
    `mki=(buffer)${toHex(mki)}`,
    ...["srtp", "srtcp"].flatMap((kind) => [
      `${kind}-cipher=(string)aes-128-gcm`,
      `${kind}-auth=(string)null`,
    ]),
  ];
  return `udpsrc address=${HOST} port=${port} caps=${caps.join(",")} ! srtpdec`;
}

/** Returns whether some process of this machine has a socket on that UDP port (proc(5)). */
export function isHeard(port: number): boolean {
  const text = `:${port.toString(16).toUpperCase().padStart(4, "0")} 00000000:0000`;
  return readFileSync("/proc/net/udp", "utf8").includes(text);
}
