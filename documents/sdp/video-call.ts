/**
 * Session descriptions of MCVideo calls (TS 24.281 6.2, TS 24.581 4.3.3.1 and 14): one stream of video under SRTP, one of the
 * audio that goes with it where it is offered, and one of transmission control, each at an address. The keys are those of the
 * group. What a stream says of its formats is kept as it stands, and nothing of it is read but payload types and names.
 */
import { utf8 } from "../../base/bytes.ts";
import { defined } from "../../base/defined.ts";
import type { DatagramAddress } from "../../transport/datagram/ports.ts";
import { controlLines, controlStreamOf, QUEUEING } from "./control-stream.ts";
import {
  addressOf,
  attributeOf,
  bad,
  connectionOf,
  hostOf,
  isSameEncoding,
  linesOf,
  portOf,
  sectionsOf,
} from "./lines.ts";

/** A format that a stream may have. */
export interface MediaFormat {
  /** RTP payload type. */
  readonly type: number;
  /** As in `a=rtpmap`: name, clock rate and channels, such as `H264/90000`; undefined for a static payload type. */
  readonly encoding?: string;
  /** Names and values of the other attributes of this format in their order, such as `fmtp` and `rtcp-fb`. */
  readonly attributes?: readonly (readonly [name: string, value: string])[];
}

export interface MediaStream {
  readonly address: DatagramAddress;
  /** The preferred one first. */
  readonly formats: readonly MediaFormat[];
  /** The profile of RTP: `RTP/SAVP` or `RTP/SAVPF`, whose answer has the same (RFC 3264 6). The first when absent. */
  readonly profile?: string;
  /** The SSRC that its sender has, or wants to have (RFC 5576). */
  readonly ssrc?: number;
}

/** The kinds of the streams in their order, with `other` for those that are not read. */
export type StreamKind = "audio" | "video" | "control" | "other";

export interface VideoCallDescription {
  readonly video: MediaStream;
  /** The audio of the transmission. */
  readonly audio?: MediaStream;
  readonly control: DatagramAddress;
  /** Whether a request to transmit may wait while others transmit (`mc_queueing`). True when absent. */
  readonly queueing?: boolean;
  /**
   * The streams of an offer, and their lines where they are `other`, for the answer to have them in the same order
   * (RFC 3264 6). Audio, video and control when absent.
   */
  readonly order?: readonly (readonly [kind: StreamKind, line: string])[];
}

const ORDER: NonNullable<VideoCallDescription["order"]> = [
  ["audio", ""],
  ["video", ""],
  ["control", ""],
];
const MAX_FORMATS = 32;
const MAX_ATTRIBUTES = 16;
const SAVP = /^m=(video|audio) (\d{1,5}) (RTP\/SAVPF?) (.+)$/;
/** Attributes whose value begins with a payload type: RFC 8866 6.15, RFC 4585 4.2, RFC 6236. */
const OF_FORMAT = /^a=(fmtp|rtcp-fb|imageattr):(\d{1,3}|\*) (\S.*)$/;

/** `id` of the origin tells the descriptions of one sender apart. */
export function writeVideoCallSdp(call: VideoCallDescription, id: number): Uint8Array {
  const { video, audio, control, queueing = true } = call;
  const order = call.order ?? ORDER;
  const streams = order.flatMap(([kind, line]) => {
    if (kind === "video") return streamLines("video", video);
    if (kind === "audio" && audio !== undefined) return streamLines("audio", audio);
    if (kind === "control") return controlLines("MCVideo", control, queueing ? [QUEUEING] : []);
    return line === "" ? [] : [rejected(line)];
  });
  const head = ["v=0", `o=- ${id} 1 IN ${hostOf(video.address)}`, "s=-", `c=IN ${hostOf(video.address)}`];
  return utf8(`${[...head, "t=0 0", ...streams].join("\r\n")}\r\n`);
}

function streamLines(kind: "audio" | "video", stream: MediaStream): string[] {
  const { address, formats, profile = "RTP/SAVP", ssrc } = stream;
  return [
    `m=${kind} ${address.port} ${profile} ${formats.map(({ type }) => type).join(" ")}`,
    // TS 24.281 6.2.1.
    `i=${kind} component of MCVideo`,
    `c=IN ${hostOf(address)}`,
    ...formats.flatMap(({ type, encoding, attributes = [] }) => [
      ...(encoding === undefined ? [] : [`a=rtpmap:${type} ${encoding}`]),
      ...attributes.map(([name, value]) => `a=${name}:${type} ${value}`),
    ]),
    ...(ssrc === undefined ? [] : [`a=ssrc:${ssrc} cname:-`]),
  ];
}

/** RFC 3264 6: a stream is rejected by its port. */
function rejected(line: string): string {
  return line.replace(/^(m=\S+) \d+/, "$1 0");
}

/** @throws MikeySakkeError codec `BAD_SDP`, which says what is missing */
export function readVideoCallSdp(octets: Uint8Array): VideoCallDescription {
  const [session, ...sections] = sectionsOf(linesOf(octets));
  const host = connectionOf(session!);
  const streams = sections.map((lines) => streamOf(lines, host));
  const [video, ...moreVideo] = streams.filter((stream) => stream?.kind === "video");
  const [audio, ...moreAudio] = streams.filter((stream) => stream?.kind === "audio");
  if (video === undefined || moreVideo.length > 0) throw bad("must have one stream of video under RTP/SAVP");
  if (moreAudio.length > 0) throw bad("must have one stream of audio under RTP/SAVP at most");
  const control = controlStreamOf(sections, host, "MCVideo", "transmission control");
  return {
    video: video.stream,
    ...defined({ audio: audio?.stream }),
    control: control.address,
    ...(!control.features.includes(QUEUEING) && { queueing: false }),
    order: sections.map((lines, i) => {
      const kind = lines === control.lines ? "control" : (streams[i]?.kind ?? "other");
      return [kind, lines[0]!.trimEnd()];
    }),
  };
}

/** Undefined for what is not read, and for a stream that is not offered, whose port is 0. */
function streamOf(lines: readonly string[], host: string | undefined) {
  const [, kind, port, profile, types] = SAVP.exec(lines[0]!) ?? [];
  if ((kind !== "video" && kind !== "audio") || Number(port) === 0) return undefined;
  const address = { host: addressOf(connectionOf(lines) ?? host), port: portOf(port!) };
  const ssrc = /^(\d{1,10})(?: |$)/.exec(attributeOf(lines, "ssrc") ?? "")?.[1];
  return {
    kind,
    stream: {
      address,
      formats: formatsOf(lines, types!),
      ...(profile !== "RTP/SAVP" && { profile: profile! }),
      ...(ssrc !== undefined && Number(ssrc) <= 0xffffffff && { ssrc: Number(ssrc) }),
    } satisfies MediaStream,
  } as const;
}

function formatsOf(lines: readonly string[], types: string): MediaFormat[] {
  const texts = new Set(types.trim().split(/ +/, MAX_FORMATS));
  return [...texts].map((text) => {
    const type = Number(text);
    if (!/^(?:0|[1-9]\d{0,2})$/.test(text) || type > 127) throw bad(`payload type ${text}`);
    const map = lines
      .map((line) => /^a=rtpmap:(\d{1,3}) (\S+)/.exec(line))
      .find((found) => found?.[1] === text);
    const attributes = lines
      .flatMap((line) => {
        const [, name, of, value] = OF_FORMAT.exec(line) ?? [];
        return of === text || of === "*" ? [[name!, value!.trimEnd()] as const] : [];
      })
      .slice(0, MAX_ATTRIBUTES);
    return { type, ...defined({ encoding: map?.[2] }), ...(attributes.length > 0 && { attributes }) };
  });
}

/**
 * Returns whether two formats are one: the same payload type, which SRTP authenticates, and the same encoding, whose name is
 * compared without case. Of H.264 the packetisation mode counts too, as a receiver of one mode cannot read another
 * (RFC 6184 8.2.2).
 */
export function isSameMediaFormat(one: MediaFormat, other: MediaFormat): boolean {
  const isSameName = isSameEncoding(one.encoding ?? "", other.encoding ?? "");
  return one.type === other.type && isSameName && modeOf(one) === modeOf(other);
}

function modeOf({ attributes = [] }: MediaFormat): string {
  const fmtp = attributes.find(([name]) => name === "fmtp")?.[1] ?? "";
  return /(?:^|[; ])packetization-mode=(\d)/i.exec(fmtp)?.[1] ?? "0";
}
