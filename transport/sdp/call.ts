/**
 * Session descriptions of group calls (RFC 8866; TS 24.380 12): one stream of G.711 under SRTP, whose keys are those of the
 * group, and one of floor control, each at an address.
 */
import { fromUtf8, utf8 } from "../../bindings/bytes.ts";
import { MikeySakkeError } from "../../bindings/errors.ts";
import type { DatagramAddress } from "../datagram/ports.ts";

export interface CallDescription {
  readonly media: DatagramAddress;
  readonly floor: DatagramAddress;
  /** Several may talk at a time. */
  readonly multiTalker?: boolean;
  /** Where the server sends what is for all; of this package, in place of an MBMS announcement. */
  readonly multicast?: { readonly media: DatagramAddress; readonly floor: DatagramAddress };
}

const MAX_BYTES = 16_384;
const MAX_LINES = 256;
/** Static payload types of RFC 3551. */
const SPEECH = ["8", "0"];
const MULTICAST = "x-mikey-sakke-multicast";
const MULTI_TALKER = "x-multi-talker";

/** `id` of the origin: numbers of one who describes tell his descriptions apart. */
export function writeCallSdp(call: CallDescription, id: number): Uint8Array {
  const { media, floor, multiTalker, multicast } = call;
  const features = ["mc_queueing", ...(multiTalker ? [MULTI_TALKER] : [])];
  const lines = [
    "v=0",
    `o=- ${id} 1 IN ${hostOf(media)}`,
    "s=-",
    `c=IN ${hostOf(media)}`,
    "t=0 0",
    ...(multicast === undefined
      ? []
      : [`a=${MULTICAST}:${multicast.media.host} ${multicast.media.port} ${multicast.floor.port}`]),
    `m=audio ${media.port} RTP/SAVP ${SPEECH.join(" ")}`,
    "a=rtpmap:8 PCMA/8000",
    "a=rtpmap:0 PCMU/8000",
    "a=ptime:20",
    `m=application ${floor.port} udp MCPTT`,
    `c=IN ${hostOf(floor)}`,
    `a=fmtp:MCPTT ${features.join(";")}`,
  ];
  return utf8(`${lines.join("\r\n")}\r\n`);
}

/** Codec errors `BAD_SDP`, which say what is missing. */
export function readCallSdp(octets: Uint8Array): CallDescription {
  if (octets.length > MAX_BYTES) throw bad(`longer than ${MAX_BYTES} octets`);
  const lines = fromUtf8(octets, "SDP").split(/\r?\n/);
  if (lines.length > MAX_LINES) throw bad(`more than ${MAX_LINES} lines`);
  if (lines[0] !== "v=0") throw bad("does not begin with v=0");
  const [session, ...sections] = sectionsOf(lines);
  const host = connectionOf(session!);
  const audio = sectionOf(sections, /^m=audio (\d{1,5}) RTP\/SAVPF? (.+)$/, "speech under RTP/SAVP");
  if (!audio.rest.split(" ").some((type) => SPEECH.includes(type))) throw bad("speech is not G.711");
  const floor = sectionOf(sections, /^m=application (\d{1,5}) udp (MCPTT)$/, "floor control");
  const multicast = multicastOf(session!);
  const features =
    attributeOf(floor.lines, "fmtp")
      ?.replace(/^MCPTT /, "")
      .split(";") ?? [];
  return {
    media: { host: addressOf(connectionOf(audio.lines) ?? host), port: audio.port },
    floor: { host: addressOf(connectionOf(floor.lines) ?? host), port: floor.port },
    ...(features.includes(MULTI_TALKER) && { multiTalker: true }),
    ...(multicast && { multicast }),
  };
}

/** The lines of the session, then those of each stream. */
function sectionsOf(lines: readonly string[]): string[][] {
  const sections: string[][] = [[]];
  for (const line of lines) {
    if (line.startsWith("m=")) sections.push([]);
    sections.at(-1)!.push(line);
  }
  return sections;
}

function sectionOf(sections: readonly (readonly string[])[], line: RegExp, what: string) {
  const [lines, ...more] = sections.filter(([first]) => line.test(first!));
  if (lines === undefined || more.length > 0) throw bad(`must have one stream of ${what}`);
  const [, port, rest] = line.exec(lines[0]!)!;
  return { lines, port: portOf(port!), rest: rest! };
}

function connectionOf(lines: readonly string[]): string | undefined {
  return lines.find((line) => line.startsWith("c="))?.slice(2);
}

function addressOf(connection: string | undefined): string {
  const [, four, six] =
    /^IN (?:IP4 (\d{1,3}(?:\.\d{1,3}){3})|IP6 ([0-9a-f:.]{2,45}))$/i.exec(connection ?? "") ?? [];
  const isFour = four?.split(".").every((part) => Number(part) < 256);
  if (isFour) return four!;
  if (six !== undefined) return six.toLowerCase();
  throw bad("a stream without an address");
}

function multicastOf(lines: readonly string[]): CallDescription["multicast"] {
  const value = attributeOf(lines, MULTICAST);
  if (value === undefined) return undefined;
  const [, host, media, floor] = /^([0-9a-f:.]{2,45}) (\d{1,5}) (\d{1,5})$/i.exec(value) ?? [];
  if (host === undefined) throw bad(`a=${MULTICAST} is malformed`);
  return { media: { host, port: portOf(media!) }, floor: { host, port: portOf(floor!) } };
}

function attributeOf(lines: readonly string[], name: string): string | undefined {
  const start = `a=${name}:`;
  return lines.find((line) => line.startsWith(start))?.slice(start.length);
}

function portOf(text: string): number {
  const port = Number(text);
  if (port < 1 || port > 0xffff) throw bad(`port ${text}`);
  return port;
}

function hostOf({ host }: DatagramAddress): string {
  return `${host.includes(":") ? "IP6" : "IP4"} ${host}`;
}

function bad(text: string): MikeySakkeError {
  return new MikeySakkeError("codec", "BAD_SDP", `SDP: ${text}`);
}
