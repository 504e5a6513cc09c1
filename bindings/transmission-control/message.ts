/** Transmission control messages of MCVideo (TS 24.581 9.2): RTCP APP packets of three names. */
import { defined } from "../../base/defined.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import {
  causeField,
  FLAG,
  field,
  NUMBER_8,
  NUMBER_16,
  PACKET_NAME,
  QUEUE,
  SSRC,
  TEXT,
} from "../rtcp-app/fields.ts";
import { AppCodec, type AppField } from "../rtcp-app/packet.ts";
import {
  TRANSMISSION_FIELDS as FIELD_IDS,
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

/** A message as its fields have it: two of them say which message an acknowledgement is for. */
type Content = Omit<TransmissionMessage, "acknowledged"> & {
  readonly acknowledgedApp?: string;
  readonly acknowledgedSubtype?: number;
};

const FIELDS: readonly AppField<Content>[] = [
  field(FIELD_IDS.PRIORITY, "priority", NUMBER_8),
  field(FIELD_IDS.DURATION, "duration", NUMBER_16),
  causeField(FIELD_IDS.REJECT_CAUSE),
  field(FIELD_IDS.QUEUE_INFO, "queue", QUEUE),
  field(FIELD_IDS.TRANSMITTER, "transmitter", TEXT),
  field(FIELD_IDS.PERMISSION_TO_REQUEST, "mayRequest", FLAG),
  field(FIELD_IDS.USER_ID, "userId", TEXT),
  field(FIELD_IDS.SEQUENCE_NUMBER, "sequenceNumber", NUMBER_16),
  field(FIELD_IDS.SOURCE, "source", NUMBER_16),
  field(FIELD_IDS.MESSAGE_NAME, "acknowledgedApp", PACKET_NAME),
  field(FIELD_IDS.MESSAGE_TYPE, "acknowledgedSubtype", NUMBER_8),
  field(FIELD_IDS.INDICATOR, "indicator", NUMBER_16),
  field(FIELD_IDS.AUDIO_SSRC, "audioSsrc", SSRC),
  field(FIELD_IDS.RESULT, "isGranted", FLAG),
  field(FIELD_IDS.RECEPTION_PRIORITY, "receptionPriority", NUMBER_8),
  field(FIELD_IDS.RECEPTION_MODE, "receptionMode", NUMBER_16),
  field(FIELD_IDS.VIDEO_SSRC, "videoSsrc", SSRC),
];

const CODEC = new AppCodec<Content>({
  packets: TRANSMISSION_MESSAGES,
  fields: FIELDS,
  badField: (text) => new MikeySakkeError("usage", "TRANSMISSION_FIELD", text),
  badMessage: (text) =>
    new MikeySakkeError("codec", "BAD_TRANSMISSION_MESSAGE", `transmission control message: ${text}`),
});

const APPS: readonly string[] = ["MCV0", "MCV1", "MCV2"] satisfies TransmissionApp[];

/** @throws MikeySakkeError usage `TRANSMISSION_FIELD`: a value that its field cannot carry */
export function encodeTransmissionMessage(message: TransmissionMessage): Uint8Array {
  const { acknowledged, ...content } = message;
  const of = { acknowledgedApp: acknowledged?.app, acknowledgedSubtype: acknowledged?.subtype };
  return CODEC.encode({ ...content, ...defined(of) });
}

/** Fields that are not known are ignored (9.1.4). Codec errors `TRUNCATED`, `BAD_TRANSMISSION_MESSAGE`. */
export function decodeTransmissionMessage(octets: Uint8Array): TransmissionMessage {
  const { acknowledgedApp: app, acknowledgedSubtype: subtype, ...message } = CODEC.decode(octets);
  return isApp(app) && subtype !== undefined ? { ...message, acknowledged: { app, subtype } } : message;
}

function isApp(text: string | undefined): text is TransmissionApp {
  return text !== undefined && APPS.includes(text);
}
