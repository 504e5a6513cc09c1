/**
 * The payload chain of a MIKEY message (RFC 3830 6): one walk by next payload for strict decoding and for the
 * inspector, and the encoder. What the fields mean is checked in i-message.ts.
 */
import { concat } from "../../base/bytes.ts";
import { refusal } from "../../base/checks.ts";
import { PAYLOAD_CODES, PAYLOAD_NAMES } from "./codes.ts";
import {
  decodeGeneralExtension,
  encodeGeneralExtension,
  type GeneralExtensionPayload,
} from "./general-extension.ts";
import { decodeHdr, encodeHdr, type Hdr } from "./hdr.ts";
import { decodeIdr, encodeIdr, type IdrPayload } from "./idr.ts";
import { decodeRand, encodeRand, type RandPayload } from "./rand.ts";
import { type Field, Reader } from "./reader.ts";
import { decodeSakke, encodeSakke, type SakkePayload } from "./sakke.ts";
import { decodeSign, encodeSign, type SignPayload } from "./sign.ts";
import { decodeOther, isOtherPayload, type OtherPayload } from "./skipped-payload.ts";
import { decodeSp, encodeSp, type SpPayload } from "./sp.ts";
import { decodeTimestamp, encodeTimestamp, type TimestampPayload } from "./timestamp.ts";
import { u8 } from "./writer.ts";

export type ChainPayload =
  | TimestampPayload
  | RandPayload
  | IdrPayload
  | SpPayload
  | SakkePayload
  | GeneralExtensionPayload
  | SignPayload;

export type Payload = ChainPayload | OtherPayload;

/** HDR or one payload with the octets it takes up. */
export interface Section {
  readonly name: string;
  /** Payload code; undefined for HDR. */
  readonly code: number | undefined;
  readonly offset: number;
  /** Octets read so far, including the next payload octet. */
  length: number;
  readonly fields: Field[];
  payload?: Payload;
}

export interface DecodedMessage {
  readonly octets: Uint8Array;
  readonly hdr: Hdr;
  readonly payloads: readonly Payload[];
  /** Offset of each payload's first octet, in the order of `payloads`. */
  readonly offsets: readonly number[];
}

/** Enough for hundreds of group identities, small enough not to burden a reader. */
export const MAX_MESSAGE_BYTES = 16384;

/** Octets before the data of a General Extension: next payload, type, length. */
export const EXTENSION_HEADER_BYTES = 4;

/** Reads a whole message or throws the first thing wrong with its structure. */
export function decodeMessage(octets: Uint8Array, maxBytes: number = MAX_MESSAGE_BYTES): DecodedMessage {
  const sections: Section[] = [];
  const hdr = walk(octets, sections, { maxBytes, trace: false });
  const rest = sections.slice(1);
  return { octets, hdr, payloads: rest.map((s) => s.payload!), offsets: rest.map((s) => s.offset) };
}

/**
 * Appends each section to `sections` before it is read, so that a caller who catches the error still has
 * everything that could be read, the broken section included. Returns the HDR.
 */
export function walk(
  octets: Uint8Array,
  sections: Section[],
  options: { maxBytes: number; trace: boolean; onHdr?: (hdr: Hdr) => void },
): Hdr {
  if (octets.length > options.maxBytes) {
    throw refusal("MESSAGE_TOO_LONG", `message: ${octets.length} octets, at most ${options.maxBytes}`);
  }
  let at = 0;
  const section = <T>(name: string, code: number | undefined, read: (r: Reader) => T): T => {
    const entry: Section = { name, code, offset: at, length: 0, fields: [] };
    sections.push(entry);
    const reader = new Reader(octets, { start: at, trace: options.trace ? entry.fields : undefined });
    try {
      return read(reader);
    } finally {
      at = reader.offset;
      entry.length = at - entry.offset;
    }
  };
  const head = section("HDR", undefined, decodeHdr);
  options.onHdr?.(head.hdr);
  let next = head.next;
  let nextAt = 2;
  while (next !== PAYLOAD_CODES.LAST) {
    const code = next;
    const name = PAYLOAD_NAMES[code] ?? `payload ${code}`;
    if (!isReadable(code)) throw refusal("UNKNOWN_PAYLOAD", `${name}: not known`, { offset: nextAt });
    nextAt = at;
    next = section(name, code, (r) => {
      // SIGN alone has no next payload octet, which makes it the last one (RFC 3830 6.5).
      const following =
        code === PAYLOAD_CODES.SIGN ? PAYLOAD_CODES.LAST : r.u8("next payload", PAYLOAD_NAMES);
      sections.at(-1)!.payload = decodePayload(r, code);
      return following;
    });
  }
  if (at < octets.length) {
    throw refusal("TRAILING_OCTETS", `${octets.length - at} octets behind the last payload`, { offset: at });
  }
  return head.hdr;
}

const DECODERS: Readonly<Record<number, (r: Reader) => ChainPayload>> = {
  [PAYLOAD_CODES.SIGN]: decodeSign,
  [PAYLOAD_CODES.T]: decodeTimestamp,
  [PAYLOAD_CODES.SP]: decodeSp,
  [PAYLOAD_CODES.RAND]: decodeRand,
  [PAYLOAD_CODES.IDR]: decodeIdr,
  [PAYLOAD_CODES.GENERAL_EXT]: decodeGeneralExtension,
  [PAYLOAD_CODES.SAKKE]: decodeSakke,
};

function isReadable(code: number): boolean {
  return DECODERS[code] !== undefined || isOtherPayload(code);
}

function decodePayload(r: Reader, code: number): Payload {
  return DECODERS[code]?.(r) ?? decodeOther(r, code);
}

/** HDR and payloads as octets. A SIGN payload, if any, comes last. */
export function encodeMessage(hdr: Hdr, payloads: readonly ChainPayload[]): Uint8Array {
  const codes = payloads.map(payloadCode);
  const parts = [encodeHdr(hdr, codes[0] ?? PAYLOAD_CODES.LAST)];
  payloads.forEach((payload, i) => {
    if (payload.payload !== "SIGN") parts.push(u8(codes[i + 1] ?? PAYLOAD_CODES.LAST));
    parts.push(encodePayload(payload));
  });
  return concat(...parts);
}

/** The message up to a SIGN payload that the caller appends; its last octet but the SIGN header says so. */
export function encodeUnsigned(
  hdr: Hdr,
  payloads: readonly ChainPayload[],
  signHeader: Uint8Array,
): Uint8Array {
  const parts = [encodeHdr(hdr, payloadCode(payloads[0]!))];
  payloads.forEach((payload, i) => {
    const following = payloads[i + 1];
    parts.push(
      u8(following === undefined ? PAYLOAD_CODES.SIGN : payloadCode(following)),
      encodePayload(payload),
    );
  });
  return concat(...parts, signHeader);
}

export function payloadCode(p: ChainPayload): number {
  return PAYLOAD_CODES[p.payload];
}

function encodePayload(p: ChainPayload): Uint8Array {
  switch (p.payload) {
    case "T":
      return encodeTimestamp(p);
    case "RAND":
      return encodeRand(p);
    case "IDR":
      return encodeIdr(p);
    case "SP":
      return encodeSp(p);
    case "SAKKE":
      return encodeSakke(p);
    case "GENERAL_EXT":
      return encodeGeneralExtension(p);
    case "SIGN":
      return encodeSign(p);
  }
}
