/**
 * Session descriptions of calls (RFC 8866; TS 24.380 12): one stream of speech under SRTP, and one of floor control, each at
 * an address. The keys are those of the group, or in a private call what the offer carries (RFC 4567).
 */
import { equal, fromBase64, toBase64, utf8 } from "../../base/bytes.ts";
import { defined } from "../../base/defined.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import { canonicalHost } from "../../transport/datagram/host.ts";
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
  sectionOf,
  sectionsOf,
} from "./lines.ts";

/** A format that speech may come in (RFC 8866 6.6, 6.15). */
export interface SpeechFormat {
  /** RTP payload type. */
  readonly type: number;
  /** As in `a=rtpmap`: name, clock rate and channels, such as `AMR-WB/16000`. */
  readonly encoding: string;
  /** The text of `a=fmtp`. */
  readonly parameters?: string;
}

/** Static payload types of RFC 3551. */
export const G711: readonly SpeechFormat[] = [
  { type: 8, encoding: "PCMA/8000" },
  { type: 0, encoding: "PCMU/8000" },
];

/** Opus always has this name (RFC 7587 7); its payload type is dynamic, and most clients use this one. */
export const OPUS: SpeechFormat = { type: 111, encoding: "opus/48000/2" };

export function isSameFormat(one: SpeechFormat, other: SpeechFormat): boolean {
  return one.type === other.type && isSameEncoding(one.encoding, other.encoding);
}

export interface CallDescription {
  readonly media: DatagramAddress;
  readonly floor: DatagramAddress;
  /** The formats of speech, the preferred one first. G.711 when absent. */
  readonly speech?: readonly SpeechFormat[];
  /** Several may talk at a time. */
  readonly multiTalker?: boolean;
  /**
   * Whether a request for the floor may wait while another talks, rather than be refused (`mc_queueing`, TS 24.380
   * 14.2.2). True when absent.
   */
  readonly queueing?: boolean;
  /** The addresses to which the server sends what is for all; of this package, in place of an MBMS announcement. */
  readonly multicast?: { readonly media: DatagramAddress; readonly floor: DatagramAddress };
  /**
   * A WebSocket carries media and floor control of this leg, and the addresses mean nothing (RFC 8124). `uri`, in the answer:
   * where the client connects to, with the token that binds the connection to the call (RFC 8857 8.4).
   */
  readonly webSocket?: { readonly uri?: string };
  /** The I_MESSAGE with the PCK, in the offer of a private call (RFC 4567, TS 33.180 5.6). */
  readonly mikey?: Uint8Array;
}

/** Stands in the addresses of an offer that asks for a WebSocket (RFC 8866 5.7, discard port of RFC 4145 4). */
export const NO_ADDRESS: DatagramAddress = { host: "0.0.0.0", port: 9 };

const MAX_FORMATS = 32;
const MULTICAST = "x-mikey-sakke-multicast";
const MULTI_TALKER = "x-multi-talker";
/** RFC 4567 3.1. */
const KEY_MGMT = "key-mgmt";
/** RFC 8124 4.2. */
const WEB_SOCKET_URI = "websocket-uri";
const MAX_URI = 1024;

/** `id` of the origin tells the descriptions of one sender apart, `version` those of one session (RFC 3264 8). */
export function writeCallSdp(call: CallDescription, id: number, version = 1): Uint8Array {
  const { media, floor, speech = G711, multiTalker, queueing = true, multicast, webSocket, mikey } = call;
  const features = [...(queueing ? [QUEUEING] : []), ...(multiTalker ? [MULTI_TALKER] : [])];
  const lines = [
    "v=0",
    `o=- ${id} ${version} IN ${hostOf(media)}`,
    "s=-",
    `c=IN ${hostOf(media)}`,
    "t=0 0",
    ...(multicast === undefined
      ? []
      : [`a=${MULTICAST}:${multicast.media.host} ${multicast.media.port} ${multicast.floor.port}`]),
    ...(webSocket === undefined ? [] : webSocketLines(webSocket)),
    ...(mikey === undefined ? [] : [`a=${KEY_MGMT}:mikey ${toBase64(mikey)}`]),
    `m=audio ${media.port} RTP/SAVP ${speech.map(({ type }) => type).join(" ")}`,
    ...speech.flatMap(({ type, encoding, parameters }) => [
      `a=rtpmap:${type} ${encoding}`,
      ...(parameters === undefined ? [] : [`a=fmtp:${type} ${parameters}`]),
    ]),
    "a=ptime:20",
    ...controlLines("MCPTT", floor, features),
  ];
  return utf8(`${lines.join("\r\n")}\r\n`);
}

/** Codec errors `BAD_SDP`, which say what is missing. */
export function readCallSdp(octets: Uint8Array): CallDescription {
  const lines = linesOf(octets);
  const [session, ...sections] = sectionsOf(lines);
  const host = connectionOf(session!);
  const audio = sectionOf(sections, /^m=audio (\d{1,5}) RTP\/SAVPF? (.+)$/, "speech under RTP/SAVP");
  const speech = speechOf(audio.lines, audio.rest);
  const { address: floor, features } = controlStreamOf(sections, host, "MCPTT", "floor control");
  const multicast = multicastOf(session!);
  const webSocket = webSocketOf(session!);
  const mikey = mikeyOf(lines);
  return {
    media: { host: addressOf(connectionOf(audio.lines) ?? host), port: audio.port },
    floor,
    speech,
    ...(features.includes(MULTI_TALKER) && { multiTalker: true }),
    ...(!features.includes(QUEUEING) && { queueing: false }),
    ...defined({ multicast, webSocket, mikey }),
  };
}

/**
 * RFC 4567 4.1.1 has every message processed, of the session and of each stream. A call has one key for both of its streams, so
 * another message beside it is refused; other protocols of key management are alternatives, and are passed over.
 */
function mikeyOf(lines: readonly string[]): Uint8Array | undefined {
  const start = `a=${KEY_MGMT}:mikey`;
  const [first, ...more] = lines
    .filter((line) => line.startsWith(start))
    .map((line) => octetsOf(line.slice(start.length).trim()));
  if (more.some((other) => !equal(other, first!))) throw bad(`more than one message in a=${KEY_MGMT}:mikey`);
  return first;
}

function octetsOf(text: string): Uint8Array {
  try {
    const octets = fromBase64(text);
    if (octets.length > 0) return octets;
  } catch (error) {
    if (!(error instanceof MikeySakkeError)) throw error;
  }
  throw bad(`a=${KEY_MGMT}:mikey is not base64`);
}

/** Returns the formats that have a name; those that RFC 3551 names need no `a=rtpmap`, of which G.711 is read. */
function speechOf(lines: readonly string[], types: string): SpeechFormat[] {
  const named = new Map(G711.map(({ type, encoding }) => [String(type), encoding]));
  const parameters = new Map<string, string>();
  for (const line of lines) {
    const [, attribute, type, value] = /^a=(rtpmap|fmtp):(\d{1,3}) (\S.*)$/.exec(line) ?? [];
    if (attribute === "rtpmap") named.set(type!, value!.trimEnd());
    if (attribute === "fmtp") parameters.set(type!, value!.trimEnd());
  }
  const speech: SpeechFormat[] = [];
  for (const text of types.split(" ", MAX_FORMATS)) {
    const encoding = named.get(text);
    const type = Number(text);
    if (encoding === undefined || type > 127 || NOT_SPEECH.test(encoding)) continue;
    const fmtp = parameters.get(text);
    speech.push({ type, encoding, ...defined({ parameters: fmtp }) });
  }
  if (speech.length === 0) throw bad("speech in no format that has a name");
  return speech;
}

/** Goes beside speech, and is none. */
const NOT_SPEECH = /^(?:telephone-event|CN|red)\//i;

/** The client connects, the server waits for it (RFC 4145 4). */
function webSocketLines({ uri }: NonNullable<CallDescription["webSocket"]>): string[] {
  return uri === undefined ? ["a=setup:active"] : ["a=setup:passive", `a=${WEB_SOCKET_URI}:${uri}`];
}

function webSocketOf(lines: readonly string[]): CallDescription["webSocket"] {
  const uri = attributeOf(lines, WEB_SOCKET_URI);
  if (uri === undefined) return attributeOf(lines, "setup") === "active" ? {} : undefined;
  if (uri.length > MAX_URI || !/^wss?:\/\/[^\s]+$/.test(uri)) throw bad(`a=${WEB_SOCKET_URI} is malformed`);
  return { uri };
}

function multicastOf(lines: readonly string[]): CallDescription["multicast"] {
  const value = attributeOf(lines, MULTICAST);
  if (value === undefined) return undefined;
  const [, text, media, floor] = /^(\S+) (\d{1,5}) (\d{1,5})$/.exec(value) ?? [];
  const host = text === undefined ? undefined : canonicalHost(text);
  if (host === undefined) throw bad(`a=${MULTICAST} is malformed`);
  return { media: { host, port: portOf(media!) }, floor: { host, port: portOf(floor!) } };
}
