/** Floor control messages (TS 24.380 8.2): RTCP APP packets named "MCPT". */
import { MikeySakkeError } from "../../base/errors.ts";
import { causeField, FLAG, field, NUMBER_8, NUMBER_16, QUEUE, SSRC, TEXT } from "../rtcp-app/fields.ts";
import { AppCodec, type AppField } from "../rtcp-app/packet.ts";
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

const FIELDS: readonly AppField<FloorMessage>[] = [
  field(FLOOR_FIELDS.PRIORITY, "priority", NUMBER_8),
  field(FLOOR_FIELDS.DURATION, "duration", NUMBER_16),
  causeField(FLOOR_FIELDS.REJECT_CAUSE),
  field(FLOOR_FIELDS.QUEUE_INFO, "queue", QUEUE),
  field(FLOOR_FIELDS.GRANTED_PARTY, "grantedParty", TEXT),
  field(FLOOR_FIELDS.PERMISSION_TO_REQUEST, "mayRequest", FLAG),
  field(FLOOR_FIELDS.USER_ID, "userId", TEXT),
  field(FLOOR_FIELDS.SEQUENCE_NUMBER, "sequenceNumber", NUMBER_16),
  field(FLOOR_FIELDS.QUEUED_USER_ID, "queuedUserId", TEXT),
  field(FLOOR_FIELDS.SOURCE, "source", NUMBER_16),
  field(FLOOR_FIELDS.MESSAGE_TYPE, "acknowledged", NUMBER_8),
  field(FLOOR_FIELDS.INDICATOR, "indicator", NUMBER_16),
  field(FLOOR_FIELDS.SSRC, "mediaSsrc", SSRC),
];

const PACKETS = Object.entries(FLOOR_MESSAGES).map(([name, subtype]) => [name, ["MCPT", subtype]] as const);

const CODEC = new AppCodec<FloorMessage>({
  packets: Object.fromEntries(PACKETS) as Record<FloorMessageName, readonly [string, number]>,
  fields: FIELDS,
  badField: (text) => new MikeySakkeError("usage", "FLOOR_FIELD", text),
  badMessage: (text) => new MikeySakkeError("codec", "BAD_FLOOR_MESSAGE", `floor control message: ${text}`),
});

/** @throws MikeySakkeError usage `FLOOR_FIELD`: a value that its field cannot carry */
export function encodeFloorMessage(message: FloorMessage): Uint8Array {
  return CODEC.encode(message);
}

/** Fields that are not known are ignored. Codec errors `TRUNCATED`, `BAD_FLOOR_MESSAGE`. */
export function decodeFloorMessage(octets: Uint8Array): FloorMessage {
  return CODEC.decode(octets);
}
