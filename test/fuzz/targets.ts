/**
 * Parsers of what comes from outside, each with what must hold for any octets: nothing is thrown but `MikeySakkeError`,
 * and what was read and written again is read as the same.
 */
import { isDeepStrictEqual } from "node:util";
import { MikeySakkeError } from "../../base/errors.ts";
import { decodeFloorMessage, encodeFloorMessage } from "../../bindings/floor-control/index.ts";
import {
  decodeDataPayload,
  decodeFdSignalling,
  decodeNotification,
  decodeSdsSignalling,
  encodeDataPayload,
  encodeFdSignalling,
  encodeNotification,
} from "../../bindings/mcdata/index.ts";
import { accessUnitsOf, GroupMedia, H264Depacketiser, splitAnnexB } from "../../bindings/media/index.ts";
import { readRtcpSsrc, readRtpHeader } from "../../bindings/media/rtp.ts";
import { inspectMessage, parseMessage as parseMikey } from "../../bindings/mikey/index.ts";
import { decodeKeyParameters, encodeKeyParameters } from "../../bindings/mikey/key-parameters.ts";
import {
  decodeTransmissionMessage,
  encodeTransmissionMessage,
} from "../../bindings/transmission-control/index.ts";
import {
  groupDocumentPath,
  parseXcapPath,
  readConferenceInfo,
  readGktpDocument,
  readGroupDocument,
  readMultipart,
  readXcapDiff,
  writeConferenceInfo,
  writeMultipart,
} from "../../documents/group-xml/index.ts";
import { readKmsRequest } from "../../documents/kms-xml/index.ts";
import { decodePrivateCallMessage, encodePrivateCallMessage } from "../../documents/monp/private-call.ts";
import { readCallSdp, writeCallSdp } from "../../documents/sdp/call.ts";
import { readVideoCallSdp, writeVideoCallSdp } from "../../documents/sdp/video-call.ts";
import { parseXml } from "../../documents/xml/xml-reader.ts";
import { parseMessage, StreamFramer, writeMessage } from "../../transport/sip/index.ts";
import { gmkOf } from "../media/packets.ts";

export interface FuzzTarget {
  /** Throws where something does not hold. */
  readonly run: (octets: Uint8Array) => void;
  /** Words of the format, which the mutators put into inputs. */
  readonly words: readonly string[];
}

/** Returns what it reads, or undefined where it refuses. */
function read<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof MikeySakkeError) return undefined;
    throw error;
  }
}

function requireSame(what: string, one: unknown, other: unknown): void {
  if (!isDeepStrictEqual(one, other)) throw new Error(`${what}: not the same when it is read again`);
}

const text = (octets: Uint8Array) => Buffer.from(octets).toString("utf8");
const KEYS = gmkOf(0x0123_4567, ["sip:alice@example.org"]);
const media = () =>
  new GroupMedia({ keys: { sending: () => undefined, receiving: () => KEYS[0] }, service: "mcptt" });

function sip(octets: Uint8Array): void {
  const message = read(() => parseMessage(octets));
  if (message !== undefined) {
    const written = writeMessage(message);
    requireSame("SIP message", Buffer.from(writeMessage(parseMessage(written))), Buffer.from(written));
  }
  // However the stream is cut, the messages in it are the same.
  const framed = (pieces: readonly Uint8Array[]) => {
    const messages: string[] = [];
    const framer = new StreamFramer({
      message: (bytes) => messages.push(Buffer.from(bytes).toString("latin1")),
    });
    const isWhole = read(() => {
      for (const piece of pieces) framer.push(piece);
      return true;
    });
    return { messages, isWhole };
  };
  const halves = [octets.subarray(0, octets.length >> 1), octets.subarray(octets.length >> 1)];
  requireSame("SIP stream", framed(halves).messages, framed([octets]).messages);
}

function mikey(octets: Uint8Array): void {
  const message = read(() => parseMikey(octets));
  const { sections, problems, unread } = inspectMessage(octets);
  if ((message !== undefined) !== (problems.length === 0)) {
    throw new Error("MIKEY: parsing and inspection differ in whether it is sound");
  }
  const length = sections.reduce((sum, section) => sum + section.length, unread?.length ?? 0);
  if (length !== octets.length) throw new Error(`MIKEY: ${length} octets were walked of ${octets.length}`);
}

function keyParameters(octets: Uint8Array): void {
  const parameters = read(() => decodeKeyParameters(octets));
  if (parameters === undefined) return;
  requireSame("key parameters", decodeKeyParameters(encodeKeyParameters(parameters)), parameters);
}

function xml(octets: Uint8Array): void {
  read(() => parseXml(octets));
  for (const parse of [readKmsRequest, readGroupDocument, readGktpDocument, readXcapDiff])
    read(() => parse(octets));
  const info = read(() => readConferenceInfo(octets));
  const written = info && read(() => writeConferenceInfo(info));
  if (written !== undefined) requireSame("conference state", readConferenceInfo(written), info);
}

function monp(octets: Uint8Array): void {
  const message = read(() => decodePrivateCallMessage(octets));
  if (message === undefined) return;
  requireSame("MONP message", decodePrivateCallMessage(encodePrivateCallMessage(message)), message);
}

function sdp(octets: Uint8Array): void {
  const video = read(() => readVideoCallSdp(octets));
  if (video !== undefined) {
    const again = readVideoCallSdp(writeVideoCallSdp(video, 1));
    requireSame("SDP with video", { ...again, order: undefined }, { ...video, order: undefined });
    requireSame(
      "order of the streams",
      again.order?.map(([kind]) => kind),
      video.order?.map(([kind]) => kind),
    );
  }
  const call = read(() => readCallSdp(octets));
  if (call !== undefined) requireSame("SDP", readCallSdp(writeCallSdp(call, 1)), call);
}

/** The first line is the content type. */
function multipart(octets: Uint8Array): void {
  const end = octets.indexOf(10);
  const contentType = text(octets.subarray(0, Math.max(end, 0)));
  const parts = read(() => readMultipart(contentType, octets.subarray(end + 1)));
  if (parts === undefined) return;
  const written = read(() => writeMultipart(parts));
  if (written === undefined) return;
  const bodies = (of: readonly { body: Uint8Array }[]) =>
    of.map(({ body }) => Buffer.from(body).toString("hex"));
  requireSame("multipart", bodies(readMultipart(written.contentType, written.body)), bodies(parts));
}

function rtp(octets: Uint8Array): void {
  const header = readRtpHeader(octets);
  if (header !== undefined && header.length > octets.length)
    throw new Error("RTP: a header beyond the packet");
  readRtcpSsrc(octets);
  new H264Depacketiser().take(octets, 0);
  accessUnitsOf(splitAnnexB(octets));
  const group = media();
  for (const result of [group.receive(octets), group.receiveRtcp(octets)]) {
    if (!(result instanceof Promise) && result.ok) throw new Error("SRTP: accepted what nobody sealed");
  }
}

function path(octets: Uint8Array): void {
  const parsed = read(() => parseXcapPath(text(octets)));
  if (parsed?.kind !== "group" || parsed.node !== undefined) return;
  requireSame("XCAP path", parseXcapPath(groupDocumentPath(parsed.group)), parsed);
}

function floor(octets: Uint8Array): void {
  const transmission = read(() => decodeTransmissionMessage(octets));
  const sent = transmission && read(() => encodeTransmissionMessage(transmission));
  if (sent !== undefined) requireSame("transmission message", decodeTransmissionMessage(sent), transmission);
  const message = read(() => decodeFloorMessage(octets));
  if (message === undefined) return;
  const again = read(() => encodeFloorMessage(message));
  if (again !== undefined) requireSame("floor message", decodeFloorMessage(again), message);
}

function mcdata(octets: Uint8Array): void {
  read(() => decodeSdsSignalling(octets));
  const fd = read(() => decodeFdSignalling(octets));
  if (fd !== undefined) requireSame("FD SIGNALLING PAYLOAD", decodeFdSignalling(encodeFdSignalling(fd)), fd);
  const notification = read(() => decodeNotification(octets));
  if (notification !== undefined)
    requireSame("notification", decodeNotification(encodeNotification(notification)), notification);
  const payloads = read(() => decodeDataPayload(octets));
  const again = payloads && read(() => encodeDataPayload(payloads));
  if (again !== undefined) requireSame("DATA PAYLOAD", decodeDataPayload(again), payloads);
}

const XML_WORDS = [
  "<",
  "</",
  "/>",
  "<?xml ",
  "?>",
  "<!--",
  "-->",
  "<![CDATA[",
  "]]>",
  "<!DOCTYPE a [",
  "<!ENTITY",
  "&amp;",
  "&#0;",
  "&#x",
  ";",
  'xmlns="',
  'xmlns:a="',
  "a:b",
  "=",
  '"',
  "xsi:type",
  "KmsRequest",
  "UserUri",
  "KmsUri",
  "Time",
  "2026-01-01T00:00:00Z",
  "Signature",
  "list-service",
  "entry",
  "xcap-diff",
  "document",
  "sel",
  "gktp",
  "conference-info",
  "user",
  "endpoint",
  "status",
  "version",
];

export const TARGETS: Readonly<Record<string, FuzzTarget>> = {
  sip: {
    run: sip,
    words: [
      "SIP/2.0",
      "\r\n",
      "\r\n\r\n",
      "Via: SIP/2.0/UDP ",
      "v:",
      ";branch=z9hG4bK",
      "From: ",
      "To: ",
      "Call-ID: ",
      "CSeq: 1 ",
      "Contact: *",
      "m:",
      "Route: <",
      ";lr>",
      "Event: ",
      "Expires: ",
      "Accept: ",
      "Authorization: Bearer ",
      "Authorization: Digest ",
      "Warning: 399 a ",
      "Retry-After: 1 (",
      "Date: Sat, 13 Nov 2010 23:29:00 GMT",
      "Subscription-State: ",
      "Content-Type: multipart/mixed;",
      "Content-Length: ",
      "l:",
      "Max-Forwards: ",
      "Require: ",
      "Supported: ",
      '"',
      "\\",
      ";",
      ",",
      "=",
      "<",
      ">",
      "sip:",
      "sips:",
      "@",
      "[::1]",
      "%41",
      ":5060",
      ";maddr=",
      "(",
      ")",
      "\t",
      " ",
      "\r\n ",
      "constructor: ",
    ],
  },
  mikey: {
    run: mikey,
    words: [
      "\0\0",
      "\x01",
      "\x15",
      "\x1a",
      "\x0b",
      "\x0e",
      "\x14",
      "\x0a",
      "\x04",
      "\xff\xff",
      "\x7f",
      "\x80",
      "\x43",
    ],
  },
  "key-parameters": { run: keyParameters, words: ["\0\0\0\0", "\x7b", "\x01", "\xff\xff", "sip:", "\0\x04"] },
  xml: { run: xml, words: XML_WORDS },
  monp: {
    run: monp,
    words: ["\x08", "\x0a", "\x0b", "\0\x05", "\x05", "sip:", "\xff\xff", "\0\0", "v=0\r\n", "\x78"],
  },
  sdp: {
    run: sdp,
    words: [
      "a=key-mgmt:mikey ",
      "AAAA",
      "=",
      "v=0",
      "\r\n",
      "o=- 1 1 IN IP4 127.0.0.1",
      "s=-",
      "t=0 0",
      "c=IN IP4 ",
      "c=IN IP6 ",
      "::1",
      "m=audio ",
      " RTP/SAVP 8",
      "m=application ",
      " udp MCPTT",
      "a=fmtp:MCPTT ",
      "mc_queueing",
      "x-multi-talker",
      ";",
      "a=x-mikey-sakke-multicast:",
      "239.0.0.1",
      " ",
      "0",
    ],
  },
  multipart: {
    run: multipart,
    words: [
      'multipart/mixed; boundary="a"\n',
      "--a\r\n",
      "\r\n--a\r\n",
      "\r\n--a--",
      "Content-Type: ",
      "Content-ID: <",
      "Content-Transfer-Encoding: base64",
      "Content-Length: ",
      "\r\n\r\n",
      "\r\n ",
      " ",
      "\t",
      "QUJD",
      "=",
      ":",
    ],
  },
  rtp: {
    run: rtp,
    words: [
      "\x80",
      "\x90",
      "\x8f",
      "\x08",
      "\xc8",
      "\xcc",
      "\x01\x23\x45\x67",
      "\x81\x23\x45\x67",
      "\xff\xff",
      "\0\0\0\0",
    ],
  },
  "xcap-path": {
    run: path,
    words: [
      "/",
      "//",
      "/~~/",
      "?",
      "xmlns(a=",
      ")",
      "org.openmobilealliance.groups",
      "org.3gpp.MCPTT-GKTP",
      "xcap-caps",
      "global",
      "index",
      "byGroupID",
      "users",
      "gktp.xml",
      "sip%3A",
      "sip:",
      "%",
      "%2F",
      "%00",
      "@",
      "[",
      "]",
      '"',
      "=",
      "*",
      "namespace::*",
      "group/list-service/list/entry",
    ],
  },
  "floor-control": {
    run: floor,
    words: [
      "\x80\xcc",
      "\x81\xcc",
      "\x92\xcc",
      "MCPT",
      "\0\x02",
      "\x01\x02",
      "\x06",
      "\x0e\x04",
      "sip:",
      "\xff",
      "\0\0",
    ],
  },
  mcdata: { run: mcdata, words: ["\x03", "\x01", "\x78", "\x7b", "\0\x01", "\xff\xff", "\0\0"] },
};
