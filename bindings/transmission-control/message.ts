/**
 * Transmission control messages of MCVideo (TS 24.581 9.2): RTCP APP packets, whose name and subtype together say which
 * message it is. A field has an identifier, a length, a value and zeros up to a multiple of four octets, which the length
 * does not count.
 */
import { concat, fromUtf8, utf8 } from "../../base/bytes.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import { Reader } from "../mikey/reader.ts";
import { u8, u16, u32 } from "../mikey/writer.ts";
import {
  TRANSMISSION_FIELDS as FIELDS,
  TRANSMISSION_MESSAGES,
  type TransmissionApp,
  type TransmissionMessageName,
} from "./names.ts";

export interface TransmissionMessage {
  readonly name: TransmissionMessageName;
  /** Asks for a Transmission Control Ack. */
  readonly ackRequired?: boolean;
  /** SSRC of the sender of the message. */
  readonly ssrc: number;
  /** 0 to 255, the highest first. */
  readonly priority?: number;
  /** Seconds that one may transmit. */
  readonly duration?: number;
  /** Cause of a rejection or of a Transmission Revoked. */
  readonly cause?: number;
  readonly causePhrase?: string;
  /** Position and priority in the queue; positions that are none are in `QUEUE_POSITIONS`. */
  readonly queue?: { readonly position: number; readonly priority: number };
  /** MCVideo ID of who transmits. */
  readonly transmitter?: string;
  readonly mayRequest?: boolean;
  /** MCVideo ID of the sender, or in a Media Reception Notification of who receives. */
  readonly userId?: string;
  readonly sequenceNumber?: number;
  /** One of `TRANSMISSION_SOURCES`. */
  readonly source?: number;
  /** The message that a Transmission Control Ack is for. */
  readonly acknowledged?: { readonly app: TransmissionApp; readonly subtype: number };
  /** Bits of `INDICATORS`, which are those of floor control. */
  readonly indicator?: number;
  /** SSRC of the audio of a transmission. */
  readonly audioSsrc?: number;
  /** SSRC of the video of a transmission. */
  readonly videoSsrc?: number;
  /** Whether a Receive Media Response grants. */
  readonly isGranted?: boolean;
  /** 0 to 255, the highest first. */
  readonly receptionPriority?: number;
  /** One of `RECEPTION_MODES`. */
  readonly receptionMode?: number;
}

type Writable = { -readonly [K in keyof TransmissionMessage]: TransmissionMessage[K] };

const RTCP_APP = 204;
const VERSION = 0x80;
const ACK_BIT = 0x10;
const HEADER_BYTES = 12;
const MAX_FIELD_BYTES = 255;
const APPS: readonly string[] = ["MCV0", "MCV1", "MCV2"] satisfies TransmissionApp[];

const NAMES = new Map(
  Object.entries(TRANSMISSION_MESSAGES).map(([name, [app, subtype]]) => [
    `${app} ${subtype}`,
    name as TransmissionMessageName,
  ]),
);

/** @throws MikeySakkeError usage `TRANSMISSION_FIELD`: a value that its field cannot carry */
export function encodeTransmissionMessage(message: TransmissionMessage): Uint8Array {
  const [app, subtype] = TRANSMISSION_MESSAGES[message.name];
  const fields = concat(...fieldsOf(message));
  const words = (HEADER_BYTES + fields.length) / 4 - 1;
  const first = VERSION | (message.ackRequired ? ACK_BIT : 0) | subtype;
  return concat(u8(first, RTCP_APP), u16(words), u32(message.ssrc), utf8(app), fields);
}

function fieldsOf(m: TransmissionMessage): Uint8Array[] {
  const fields: Uint8Array[] = [];
  const add = <T>(id: number, value: T | undefined, octets: (value: T) => Uint8Array) => {
    if (value !== undefined) fields.push(field(id, octets(value)));
  };
  // Two octets behind an SSRC or a name are spare.
  const ssrc = (value: number) => concat(u32(value), u16(0));
  add(FIELDS.PRIORITY, m.priority, (priority) => u8(priority, 0));
  add(FIELDS.DURATION, m.duration, u16);
  add(FIELDS.REJECT_CAUSE, m.cause, (cause) => concat(u16(cause), utf8(m.causePhrase ?? "")));
  add(FIELDS.QUEUE_INFO, m.queue, ({ position, priority }) => u8(position, priority));
  add(FIELDS.TRANSMITTER, m.transmitter, utf8);
  add(FIELDS.PERMISSION_TO_REQUEST, m.mayRequest, (may) => u16(may ? 1 : 0));
  add(FIELDS.USER_ID, m.userId, utf8);
  add(FIELDS.SEQUENCE_NUMBER, m.sequenceNumber, u16);
  add(FIELDS.SOURCE, m.source, u16);
  add(FIELDS.MESSAGE_NAME, m.acknowledged, ({ app }) => concat(utf8(app), u16(0)));
  add(FIELDS.MESSAGE_TYPE, m.acknowledged, ({ subtype }) => u8(subtype, 0));
  add(FIELDS.INDICATOR, m.indicator, u16);
  add(FIELDS.AUDIO_SSRC, m.audioSsrc, ssrc);
  add(FIELDS.RESULT, m.isGranted, (is) => u16(is ? 1 : 0));
  add(FIELDS.RECEPTION_PRIORITY, m.receptionPriority, (priority) => u8(priority, 0));
  add(FIELDS.RECEPTION_MODE, m.receptionMode, u16);
  add(FIELDS.VIDEO_SSRC, m.videoSsrc, ssrc);
  return fields;
}

function field(id: number, value: Uint8Array): Uint8Array {
  if (value.length > MAX_FIELD_BYTES) {
    const text = `field ${id}: ${value.length} octets, at most ${MAX_FIELD_BYTES}`;
    throw new MikeySakkeError("usage", "TRANSMISSION_FIELD", text);
  }
  return concat(u8(id, value.length), value, new Uint8Array(padding(value.length)));
}

function padding(length: number): number {
  return -(length + 2) & 3;
}

/** Fields that are not known are ignored (9.1.4). Codec errors `TRUNCATED`, `BAD_TRANSMISSION_MESSAGE`. */
export function decodeTransmissionMessage(octets: Uint8Array): TransmissionMessage {
  const r = new Reader(octets);
  const first = r.u8("version and subtype");
  if (first >> 6 !== 2 || (first & 0x20) !== 0) throw bad("not RTCP of version 2 without padding");
  if (r.u8("packet type") !== RTCP_APP) throw bad("not an APP packet");
  if (4 * (r.u16("length") + 1) !== octets.length) throw bad("its length is not that of the packet");
  const ssrc = r.u32("SSRC");
  const app = asciiOf(r.take(4, "name"));
  const name = NAMES.get(`${app} ${first & 0x0f}`);
  if (name === undefined) throw bad(`subtype ${first & 0x0f} of ${JSON.stringify(app)}`);
  const message: Writable = { name, ssrc };
  if ((first & ACK_BIT) !== 0) message.ackRequired = true;
  const acknowledged: { app?: string; subtype?: number } = {};
  while (r.remaining > 0) {
    const id = r.u8("field ID");
    const length = r.u8("field length");
    readField(id, r.part(length, "field"), message, acknowledged);
    r.take(Math.min(padding(length), r.remaining), "padding");
  }
  const { app: of, subtype } = acknowledged;
  if (isApp(of) && subtype !== undefined) message.acknowledged = { app: of, subtype };
  return message;
}

function readField(
  id: number,
  r: Reader,
  message: Writable,
  acknowledged: { app?: string; subtype?: number },
): void {
  const text = () => fromUtf8(r.take(r.remaining, "text"), "text");
  switch (id) {
    case FIELDS.PRIORITY:
      message.priority = r.u8("priority");
      break;
    case FIELDS.DURATION:
      message.duration = r.u16("duration");
      break;
    case FIELDS.REJECT_CAUSE:
      message.cause = r.u16("cause");
      if (r.remaining > 0) message.causePhrase = text();
      break;
    case FIELDS.QUEUE_INFO:
      message.queue = { position: r.u8("position"), priority: r.u8("priority") };
      break;
    case FIELDS.TRANSMITTER:
      message.transmitter = text();
      break;
    case FIELDS.PERMISSION_TO_REQUEST:
      message.mayRequest = r.u16("permission") !== 0;
      break;
    case FIELDS.USER_ID:
      message.userId = text();
      break;
    case FIELDS.SEQUENCE_NUMBER:
      message.sequenceNumber = r.u16("sequence number");
      break;
    case FIELDS.SOURCE:
      message.source = r.u16("source");
      break;
    case FIELDS.MESSAGE_NAME:
      acknowledged.app = asciiOf(r.take(4, "message name"));
      break;
    case FIELDS.MESSAGE_TYPE:
      acknowledged.subtype = r.u8("message type");
      break;
    case FIELDS.INDICATOR:
      message.indicator = r.u16("indicator");
      break;
    case FIELDS.AUDIO_SSRC:
      message.audioSsrc = r.u32("audio SSRC");
      break;
    case FIELDS.RESULT:
      message.isGranted = r.u16("result") !== 0;
      break;
    case FIELDS.RECEPTION_PRIORITY:
      message.receptionPriority = r.u8("reception priority");
      break;
    case FIELDS.RECEPTION_MODE:
      message.receptionMode = r.u16("reception mode");
      break;
    case FIELDS.VIDEO_SSRC:
      message.videoSsrc = r.u32("video SSRC");
      break;
  }
}

function asciiOf(octets: Uint8Array): string {
  return String.fromCharCode(...octets);
}

function isApp(text: string | undefined): text is TransmissionApp {
  return text !== undefined && APPS.includes(text);
}

function bad(text: string): MikeySakkeError {
  return new MikeySakkeError("codec", "BAD_TRANSMISSION_MESSAGE", `transmission control message: ${text}`);
}
