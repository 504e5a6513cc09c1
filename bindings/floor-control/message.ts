/**
 * Floor control messages (TS 24.380 8.2): RTCP APP packets named "MCPT". A field has an identifier, a length, a value and
 * zeros up to a multiple of four octets, which the length does not count.
 */
import { concat, fromUtf8, utf8 } from "../../base/bytes.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import { Reader } from "../mikey/reader.ts";
import { u8, u16, u32 } from "../mikey/writer.ts";
import { FLOOR_FIELDS, FLOOR_MESSAGES, type FloorMessageName } from "./names.ts";

export interface FloorMessage {
  readonly name: FloorMessageName;
  /** Asks for a Floor Ack. */
  readonly ackRequired?: boolean;
  /** SSRC of the sender of the message. */
  readonly ssrc: number;
  /** 0 to 255, the highest first. */
  readonly priority?: number;
  /** Seconds that one may talk. */
  readonly duration?: number;
  /** Cause of a Floor Deny or Floor Revoke. */
  readonly cause?: number;
  readonly causePhrase?: string;
  /** Position and priority in the queue; 254 and 255 are "not known" and "not queued". */
  readonly queue?: { readonly position: number; readonly priority: number };
  /** MCPTT ID of who talks. */
  readonly grantedParty?: string;
  readonly mayRequest?: boolean;
  /** MCPTT ID of the sender. */
  readonly userId?: string;
  readonly sequenceNumber?: number;
  readonly queuedUserId?: string;
  /** 0 participant, 1 participating, 2 controlling function. */
  readonly source?: number;
  /** Subtype that a Floor Ack is for. */
  readonly acknowledged?: number;
  /** Bits of `INDICATORS`. */
  readonly indicator?: number;
  /** SSRC of the media of who talks. */
  readonly mediaSsrc?: number;
}

const RTCP_APP = 204;
const VERSION = 0x80;
const ACK_BIT = 0x10;
const NAME = utf8("MCPT");
const HEADER_BYTES = 12;
const MAX_FIELD_BYTES = 255;

const NAMES = new Map<number, FloorMessageName>(
  Object.entries(FLOOR_MESSAGES).map(([name, subtype]) => [subtype, name as FloorMessageName]),
);

/** @throws MikeySakkeError usage `FLOOR_FIELD`: a value that its field cannot carry */
export function encodeFloorMessage(message: FloorMessage): Uint8Array {
  const fields = concat(...fieldsOf(message));
  const subtype = FLOOR_MESSAGES[message.name] | (message.ackRequired ? ACK_BIT : 0);
  const words = (HEADER_BYTES + fields.length) / 4 - 1;
  return concat(u8(VERSION | subtype, RTCP_APP), u16(words), u32(message.ssrc), NAME, fields);
}

function fieldsOf(m: FloorMessage): Uint8Array[] {
  const fields: Uint8Array[] = [];
  const add = <T>(id: number, value: T | undefined, octets: (value: T) => Uint8Array) => {
    if (value !== undefined) fields.push(field(id, octets(value)));
  };
  add(FLOOR_FIELDS.PRIORITY, m.priority, (priority) => u8(priority, 0));
  add(FLOOR_FIELDS.DURATION, m.duration, u16);
  add(FLOOR_FIELDS.REJECT_CAUSE, m.cause, (cause) => concat(u16(cause), utf8(m.causePhrase ?? "")));
  add(FLOOR_FIELDS.QUEUE_INFO, m.queue, ({ position, priority }) => u8(position, priority));
  add(FLOOR_FIELDS.GRANTED_PARTY, m.grantedParty, utf8);
  add(FLOOR_FIELDS.PERMISSION_TO_REQUEST, m.mayRequest, (may) => u16(may ? 1 : 0));
  add(FLOOR_FIELDS.USER_ID, m.userId, utf8);
  add(FLOOR_FIELDS.SEQUENCE_NUMBER, m.sequenceNumber, u16);
  add(FLOOR_FIELDS.QUEUED_USER_ID, m.queuedUserId, utf8);
  add(FLOOR_FIELDS.SOURCE, m.source, u16);
  add(FLOOR_FIELDS.MESSAGE_TYPE, m.acknowledged, (subtype) => u8(subtype, 0));
  add(FLOOR_FIELDS.INDICATOR, m.indicator, u16);
  // Two octets behind the SSRC are spare.
  add(FLOOR_FIELDS.SSRC, m.mediaSsrc, (ssrc) => concat(u32(ssrc), u16(0)));
  return fields;
}

function field(id: number, value: Uint8Array): Uint8Array {
  if (value.length > MAX_FIELD_BYTES) {
    throw new MikeySakkeError("usage", "FLOOR_FIELD", `field ${id}: ${value.length} octets, at most 255`);
  }
  return concat(u8(id, value.length), value, new Uint8Array(padding(value.length)));
}

function padding(length: number): number {
  return -(length + 2) & 3;
}

/** Fields that are not known are ignored. Codec errors `TRUNCATED`, `BAD_FLOOR_MESSAGE`. */
export function decodeFloorMessage(octets: Uint8Array): FloorMessage {
  const r = new Reader(octets);
  const first = r.u8("version and subtype");
  if (first >> 6 !== 2 || (first & 0x20) !== 0) throw bad("not RTCP of version 2 without padding");
  const name = NAMES.get(first & 0x0f);
  if (name === undefined) throw bad(`subtype ${first & 0x0f}`);
  if (r.u8("packet type") !== RTCP_APP) throw bad("not an APP packet");
  if (4 * (r.u16("length") + 1) !== octets.length) throw bad("its length is not that of the packet");
  const ssrc = r.u32("SSRC");
  if (r.take(4, "name").some((octet, i) => octet !== NAME[i])) throw bad("its name is not MCPT");
  const message: { -readonly [K in keyof FloorMessage]: FloorMessage[K] } = { name, ssrc };
  if ((first & ACK_BIT) !== 0) message.ackRequired = true;
  while (r.remaining > 0) {
    const id = r.u8("field ID");
    const length = r.u8("field length");
    readField(id, r.part(length, "field"), message);
    r.take(Math.min(padding(length), r.remaining), "padding");
  }
  return message;
}

function readField(
  id: number,
  r: Reader,
  message: { -readonly [K in keyof FloorMessage]: FloorMessage[K] },
): void {
  const text = () => fromUtf8(r.take(r.remaining, "text"), "text");
  switch (id) {
    case FLOOR_FIELDS.PRIORITY:
      message.priority = r.u8("priority");
      break;
    case FLOOR_FIELDS.DURATION:
      message.duration = r.u16("duration");
      break;
    case FLOOR_FIELDS.REJECT_CAUSE:
      message.cause = r.u16("cause");
      if (r.remaining > 0) message.causePhrase = text();
      break;
    case FLOOR_FIELDS.QUEUE_INFO:
      message.queue = { position: r.u8("position"), priority: r.u8("priority") };
      break;
    case FLOOR_FIELDS.GRANTED_PARTY:
      message.grantedParty = text();
      break;
    case FLOOR_FIELDS.PERMISSION_TO_REQUEST:
      message.mayRequest = r.u16("permission") !== 0;
      break;
    case FLOOR_FIELDS.USER_ID:
      message.userId = text();
      break;
    case FLOOR_FIELDS.SEQUENCE_NUMBER:
      message.sequenceNumber = r.u16("sequence number");
      break;
    case FLOOR_FIELDS.QUEUED_USER_ID:
      message.queuedUserId = text();
      break;
    case FLOOR_FIELDS.SOURCE:
      message.source = r.u16("source");
      break;
    case FLOOR_FIELDS.MESSAGE_TYPE:
      message.acknowledged = r.u8("message type");
      break;
    case FLOOR_FIELDS.INDICATOR:
      message.indicator = r.u16("indicator");
      break;
    case FLOOR_FIELDS.SSRC:
      message.mediaSsrc = r.u32("SSRC");
      break;
  }
}

function bad(text: string): MikeySakkeError {
  return new MikeySakkeError("codec", "BAD_FLOOR_MESSAGE", `floor control message: ${text}`);
}
