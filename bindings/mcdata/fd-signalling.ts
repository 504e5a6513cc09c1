/** FD SIGNALLING PAYLOAD (TS 24.282 15.1.3): which file is distributed, and where it is. */
import { concat, fromUtf8, utf8 } from "../../base/bytes.ts";
import { MikeySakkeError, requireBytes } from "../../base/errors.ts";
import { Reader } from "../mikey/reader.ts";
import { u8, u16, u40 } from "../mikey/writer.ts";
import { MCDATA_IEIS, MCDATA_TYPES, PAYLOAD_CONTENT_TYPES } from "./message-types.ts";
import { MCDATA_ID_BYTES } from "./sds-signalling.ts";

export interface FdSignalling {
  /** Unix seconds. */
  readonly dateTime: number;
  readonly conversationId: Uint8Array;
  readonly messageId: Uint8Array;
  readonly inReplyTo?: Uint8Array;
  readonly applicationId?: number;
  /** Whether the sender asks to be told of completed downloads (15.2.4). */
  readonly wantsCompletion?: boolean;
  /** Whether the file is to be downloaded without asking the user (15.2.16). */
  readonly isMandatory?: boolean;
  /** The URL of the file (15.2.13, content type 4). */
  readonly url: string;
}

/** 15.2.4: FILE DOWNLOAD COMPLETED UPDATE. */
const COMPLETED_UPDATE = 1;
/** 15.2.16: MANDATORY DOWNLOAD. */
const MANDATORY = 1;
const MAX_URL = 2048;
const HALF_OCTETS: ReadonlySet<number> = new Set([0x8, 0x9, 0xa]);

/** @throws MikeySakkeError usage `BAD_MCDATA_SIGNALLING`: a URL that is empty or longer than 2,048 octets */
export function encodeFdSignalling(fd: FdSignalling): Uint8Array {
  const { dateTime, conversationId, messageId, inReplyTo, applicationId } = fd;
  requireBytes(conversationId, "conversation ID", MCDATA_ID_BYTES);
  requireBytes(messageId, "message ID", MCDATA_ID_BYTES);
  if (inReplyTo !== undefined) requireBytes(inReplyTo, "in reply to", MCDATA_ID_BYTES);
  const url = utf8(fd.url);
  if (url.length === 0 || url.length > MAX_URL)
    throw bad("usage", `URL of ${url.length} octets, must be 1 to ${MAX_URL}`);
  return concat(
    u8(MCDATA_TYPES.FD_SIGNALLING_PAYLOAD),
    u40(dateTime),
    conversationId,
    messageId,
    ...(inReplyTo === undefined ? [] : [u8(MCDATA_IEIS.IN_REPLY_TO), inReplyTo]),
    ...(applicationId === undefined ? [] : [u8(MCDATA_IEIS.APPLICATION_ID, applicationId)]),
    ...(fd.wantsCompletion ? [u8(MCDATA_IEIS.FD_DISPOSITION_REQUEST * 16 + COMPLETED_UPDATE)] : []),
    ...(fd.isMandatory ? [u8(MCDATA_IEIS.MANDATORY_DOWNLOAD * 16 + MANDATORY)] : []),
    u8(MCDATA_IEIS.PAYLOAD),
    u16(url.length + 1),
    u8(PAYLOAD_CONTENT_TYPES.FILE_URL),
    url,
  );
}

/** Codec errors `TRUNCATED`, `BAD_MCDATA_SIGNALLING`. What comes behind an unknown element is ignored with it. */
export function decodeFdSignalling(octets: Uint8Array): FdSignalling {
  const r = new Reader(octets);
  const type = r.u8("message type");
  if (type !== MCDATA_TYPES.FD_SIGNALLING_PAYLOAD) throw bad("codec", `message type ${type}, must be 2`);
  const fd: { -readonly [K in keyof FdSignalling]?: FdSignalling[K] } & Pick<
    FdSignalling,
    "dateTime" | "conversationId" | "messageId"
  > = {
    dateTime: r.u40("date and time"),
    conversationId: r.take(MCDATA_ID_BYTES, "conversation ID"),
    messageId: r.take(MCDATA_ID_BYTES, "message ID"),
  };
  let isKnown = true;
  while (isKnown && r.remaining > 0) {
    const iei = r.u8("IEI");
    if (iei === MCDATA_IEIS.IN_REPLY_TO) fd.inReplyTo = r.take(MCDATA_ID_BYTES, "in reply to");
    else if (iei === MCDATA_IEIS.APPLICATION_ID) fd.applicationId = r.u8("application ID");
    else if (iei >> 4 === MCDATA_IEIS.FD_DISPOSITION_REQUEST)
      fd.wantsCompletion = (iei & 0xf) === COMPLETED_UPDATE;
    else if (iei >> 4 === MCDATA_IEIS.MANDATORY_DOWNLOAD) fd.isMandatory = (iei & 0xf) === MANDATORY;
    else if (iei === MCDATA_IEIS.PAYLOAD) fd.url ??= urlOf(r.part(r.u16("payload length"), "payload"));
    else if (isLong(iei)) r.take(r.u16("length"), "element");
    else isKnown = HALF_OCTETS.has(iei >> 4);
  }
  const { url } = fd;
  if (url === undefined) throw bad("codec", "no URL of a file");
  return { ...fd, url };
}

/** TLV-E elements. */
function isLong(iei: number): boolean {
  return (iei >= 0x78 && iei <= 0x7f) || (iei >= 0x51 && iei <= 0x53);
}

function urlOf(element: Reader): string {
  const contentType = element.u8("payload content type");
  if (contentType !== PAYLOAD_CONTENT_TYPES.FILE_URL)
    throw bad("codec", `payload of type ${contentType}, must be 4`);
  if (element.remaining === 0 || element.remaining > MAX_URL)
    throw bad("codec", `URL of ${element.remaining} octets`);
  return fromUtf8(element.take(element.remaining, "URL"), "URL of a file");
}

function bad(kind: "usage" | "codec", text: string): MikeySakkeError {
  return new MikeySakkeError(kind, "BAD_MCDATA_SIGNALLING", `FD SIGNALLING PAYLOAD: ${text}`);
}
