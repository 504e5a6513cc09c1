/** Recognises what octets are: SIP, multipart bodies, XML of this package, SDP, media packets, and the I_MESSAGEs inside. */
import { fromBase64, fromHex, toHex } from "../../base/bytes.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import { isRtcp, readRtcpSsrc, readRtpHeader } from "../../bindings/media/rtp.ts";
import { MEDIA, mediaTypeOf, readMultipart } from "../../documents/group-xml/index.ts";
import { parseXml, type XmlElement } from "../../documents/xml/xml-reader.ts";
import { CONTENT_TYPE, type Framing, parseMessage, StreamFramer } from "../../transport/sip/index.ts";

export interface Content {
  /** Such as "SIP request NOTIFY" or "xcap-diff document". */
  readonly what: string;
  /** The details worth knowing, one a line. */
  readonly details: readonly string[];
  /** An I_MESSAGE. */
  readonly message?: Uint8Array;
  readonly parts: readonly Content[];
}

const XML_LIMITS = { maxLength: 4 << 20, maxElements: 100_000 };
/** Header fields of SIP that a tester looks at first. */
const SHOWN = ["From", "To", "Event", "Subscription-State", "Expires", "Warning", "Content-Type"];
const SIP_START = /^(?:SIP\/2\.0 [1-6]\d\d |[A-Z]{2,20} [^ \r\n]{1,1000} SIP\/2\.0\r?\n)/;
/** Version 1 and data type 26 of an I_MESSAGE with SAKKE. */
const MIKEY_START = [0x01, 0x1a];

export function contentOf(octets: Uint8Array, framing: Framing = "datagram"): Content {
  if (octets[0] === MIKEY_START[0] && octets[1] === MIKEY_START[1]) return mikey(octets);
  if (isSip(octets)) return framing === "stream" ? streamOf(octets) : sip(octets);
  const head = fromLatin(octets.subarray(0, 200)).trimStart();
  if (head.startsWith("<")) return xml(octets);
  if (head.startsWith("--")) return bareMultipart(octets, head);
  if (head.startsWith("v=0")) return sdp(octets);
  if (framing === "datagram") return media(octets);
  return unknown(`${octets.length} octets that are none of what is known here`);
}

export function isSip(octets: Uint8Array): boolean {
  return SIP_START.test(fromLatin(octets.subarray(0, 1200)).replace(/^[\r\n]+/, ""));
}

function mikey(message: Uint8Array): Content {
  return { what: `MIKEY message of ${message.length} octets`, details: [], message, parts: [] };
}

function unknown(what: string, details: readonly string[] = []): Content {
  return { what, details, parts: [] };
}

function streamOf(octets: Uint8Array): Content {
  const parts: Content[] = [];
  const refuse = (text: string) => void parts.push(unknown(text));
  const framer = new StreamFramer({
    message: (message: Uint8Array) => void parts.push(sip(message)),
    tooLarge: () => refuse("a message that is too large"),
    ping: () => undefined,
    pong: () => undefined,
  });
  try {
    if (!framer.push(octets)) refuse("a message that breaks off");
  } catch (error) {
    refuse(textOf(error));
  }
  return parts.length === 1 ? parts[0]! : { what: `${parts.length} SIP messages`, details: [], parts };
}

function sip(octets: Uint8Array): Content {
  try {
    const message = parseMessage(octets, "datagram");
    const what = "method" in message ? `SIP request ${message.method}` : `SIP response ${message.status}`;
    const details = SHOWN.flatMap((name) => message.headers.texts(name).map((text) => `${name}: ${text}`));
    const type = message.headers.texts(CONTENT_TYPE.name)[0] ?? "";
    return { what, details, parts: message.body.length === 0 ? [] : [bodyOf(type, message.body)] };
  } catch (error) {
    return unknown("a SIP message that cannot be read", [textOf(error)]);
  }
}

/** A body whose type was said; its octets count where that says nothing. */
function bodyOf(type: string, body: Uint8Array): Content {
  const media = mediaTypeOf(type);
  try {
    if (media === MEDIA.multipartMixed) {
      const parts = readMultipart(type, body).map((part) => bodyOf(part.contentType, part.body));
      return { what: `multipart body, ${parts.length} parts`, details: [], parts };
    }
    if (media === MEDIA.mikey) return mikey(body);
    if (media === MEDIA.sdp) return sdp(body);
  } catch (error) {
    return unknown(`a body of type ${media} that cannot be read`, [textOf(error)]);
  }
  const first = fromLatin(body.subarray(0, 100)).trimStart();
  return first.startsWith("<")
    ? xml(body)
    : unknown(`a body of type ${media || "that is not said"}, ${body.length} octets`);
}

/** Multipart without its header fields: the first line is the boundary. */
function bareMultipart(octets: Uint8Array, head: string): Content {
  const boundary = head.split(/\r?\n/)[0]!.slice(2).trim();
  return bodyOf(`multipart/mixed;boundary="${boundary}"`, octets);
}

/** RFC 4567 3.1. */
function sdp(octets: Uint8Array): Content {
  const text = fromLatin(octets);
  const lines = text.split(/\r?\n/);
  const parts = lines.flatMap((line) => {
    const found = /^a=key-mgmt:mikey[ \t]+([A-Za-z0-9+/=]+)[ \t]*$/i.exec(line)?.[1];
    return found === undefined ? [] : [decoded(found, fromBase64)];
  });
  return { what: "session description (SDP)", details: lines.filter((line) => /^[cm]=/.test(line)), parts };
}

function xml(octets: Uint8Array): Content {
  try {
    const root = parseXml(octets, XML_LIMITS);
    const details = [`root ${root.local}${root.namespace === "" ? "" : ` of ${root.namespace}`}`];
    return { what: `${root.local} document`, details, parts: messagesIn(root) };
  } catch (error) {
    return unknown("XML that cannot be read", [textOf(error)]);
  }
}

/** I_MESSAGEs in hexadecimal (GKTP) or base64 (mcptt-info and its like) are leaves that begin as one does. */
function messagesIn(node: XmlElement): Content[] {
  if (node.children.length > 0) return node.children.flatMap(messagesIn);
  const text = node.text.replace(/\s+/g, "");
  if (/^011a(?:[0-9a-f]{2}){60,}$/i.test(text)) return [decoded(text, fromHex)];
  if (/^ARo[A-Za-z0-9+/]{80,}={0,2}$/.test(text)) return [decoded(text, fromBase64)];
  return [];
}

function media(octets: Uint8Array): Content {
  if (octets.length >= 8 && isRtcp(octets)) {
    const ssrc = readRtcpSsrc(octets);
    if (ssrc !== undefined) return unknown(`RTCP or SRTCP packet type ${octets[1]}`, [`SSRC ${hex32(ssrc)}`]);
  }
  const header = octets.length >= 12 ? readRtpHeader(octets) : undefined;
  if (header === undefined) return unknown(`${octets.length} octets that are none of what is known here`);
  const { payloadType, sequenceNumber, ssrc } = header;
  return unknown(`RTP or SRTP packet, payload type ${payloadType}`, [
    `SSRC ${hex32(ssrc)}, sequence number ${sequenceNumber}, ${octets.length} octets`,
  ]);
}

function decoded(text: string, decode: (text: string) => Uint8Array): Content {
  try {
    return mikey(decode(text));
  } catch (error) {
    return unknown("a MIKEY message that cannot be read", [textOf(error)]);
  }
}

function hex32(value: number): string {
  return toHex(Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value));
}

function fromLatin(octets: Uint8Array): string {
  return new TextDecoder("latin1").decode(octets);
}

function textOf(error: unknown): string {
  if (!(error instanceof MikeySakkeError)) throw error;
  return `${error.code}: ${error.message}`;
}
