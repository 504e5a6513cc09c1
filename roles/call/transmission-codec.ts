/**
 * Transmission control of MCVideo (TS 24.581), said in the words of floor control: who may transmit is decided as who may
 * talk is (decision D-193), and the two state machines know one set of messages.
 */
import { defined } from "../../base/defined.ts";
import type { FloorMessage } from "../../bindings/floor-control/index.ts";
import {
  decodeTransmissionMessage,
  encodeTransmissionMessage,
  QUEUE_POSITIONS,
  TRANSMISSION_MESSAGES,
  TRANSMISSION_REJECT_CAUSES,
  TRANSMISSION_SOURCES,
  type TransmissionMessage,
} from "../../bindings/transmission-control/index.ts";
import { type ControlCodec, type FloorContent, readOrNothing } from "./control-codec.ts";

export type TransmissionContent = Omit<TransmissionMessage, "ssrc">;

export const TRANSMISSION_CODEC: ControlCodec<TransmissionContent> = {
  encode: encodeTransmissionMessage,
  decode: (octets) => readOrNothing(decodeTransmissionMessage, octets),
};

/** Values in place of a position, in a Floor Queue Position Info (TS 24.380 8.2.3.6). */
const FLOOR_POSITIONS = { UNKNOWN: 254, NOT_QUEUED: 255 };

const POSITIONS = new Map([
  [FLOOR_POSITIONS.NOT_QUEUED, QUEUE_POSITIONS.NOT_QUEUED],
  [FLOOR_POSITIONS.UNKNOWN, QUEUE_POSITIONS.UNKNOWN],
]);

/** Returns the message in transmission control for what a participant says in floor control; undefined where there is none. */
export function participantWords(content: FloorContent): TransmissionContent | undefined {
  const { priority, userId, indicator } = content;
  switch (content.name) {
    case "Floor Request":
      return { name: "Transmission Request", ...defined({ priority, userId, indicator }) };
    case "Floor Release":
      return { name: "Transmission End Request", ...defined({ userId }) };
    case "Floor Queue Position Request":
      return { name: "Queue Position Request", ...defined({ userId }) };
    default:
      return undefined;
  }
}

/** Returns a message of the server as one of floor control; undefined for messages about reception, which it does not have. */
export function heardByParticipant(message: TransmissionMessage): FloorMessage | undefined {
  const { ssrc, duration, priority, cause, queue, transmitter, videoSsrc, indicator, sequenceNumber } =
    message;
  switch (message.name) {
    case "Transmission Granted":
      return {
        name: "Floor Granted",
        ssrc,
        ...defined({ duration, priority, mediaSsrc: videoSsrc, indicator }),
      };
    case "Transmission Rejected":
      return { name: "Floor Deny", ssrc, ...defined({ cause }) };
    case "Transmission Revoked":
      return { name: "Floor Revoke", ssrc, ...defined({ cause }) };
    case "Queue Position Info":
      return { name: "Floor Queue Position Info", ssrc, ...defined({ queue: queue && floorQueue(queue) }) };
    case "Media Transmission Notification": {
      const taken = { grantedParty: transmitter, mediaSsrc: videoSsrc, indicator };
      return { name: "Floor Taken", ssrc, ...defined(taken) };
    }
    case "Transmission Idle":
      return { name: "Floor Idle", ssrc, ...defined({ sequenceNumber }) };
    default:
      return undefined;
  }
}

/** The streams of a transmission. */
export interface TransmissionSsrcs {
  readonly audioSsrc?: number | undefined;
  readonly videoSsrc: number;
}

/**
 * Returns what the arbiter says as a message of transmission control. `ssrcs` are those of the transmission that it is about, which
 * for a Floor Granted is that of who gets it. `receptionMode` is one of `RECEPTION_MODES`.
 */
export function serverWords(
  content: FloorContent,
  ssrcs: TransmissionSsrcs | undefined,
  receptionMode: number,
): TransmissionContent | undefined {
  const { duration, priority, cause, queue, grantedParty, mayRequest, indicator, sequenceNumber } = content;
  switch (content.name) {
    case "Floor Granted":
      return { name: "Transmission Granted", ...defined({ duration, priority, indicator, ...ssrcs }) };
    case "Floor Taken": {
      const about = { transmitter: grantedParty, mayRequest, indicator, receptionMode, ...ssrcs };
      return { name: "Media Transmission Notification", ...defined(about) };
    }
    case "Floor Deny":
      return { name: "Transmission Rejected", ...defined({ cause: cause && rejectCause(cause) }) };
    case "Floor Revoke":
      return { name: "Transmission Revoked", ...defined({ cause }) };
    case "Floor Queue Position Info":
      return { name: "Queue Position Info", ...defined({ queue: queue && transmissionQueue(queue) }) };
    case "Floor Idle":
      return { name: "Transmission Idle", ...defined({ sequenceNumber }) };
    default:
      return undefined;
  }
}

/** The acknowledgement of a message, from the end that `source` names (9.2.31). */
export function acknowledgementOf(
  { name }: TransmissionMessage,
  source: keyof typeof TRANSMISSION_SOURCES,
): TransmissionContent {
  const [app, subtype] = TRANSMISSION_MESSAGES[name];
  return {
    name: "Transmission Control Ack",
    source: TRANSMISSION_SOURCES[source],
    acknowledged: { app, subtype },
  };
}

type Queue = NonNullable<FloorContent["queue"]>;

function transmissionQueue({ position, priority }: Queue): Queue {
  return { position: POSITIONS.get(position) ?? position, priority };
}

function floorQueue({ position, priority }: Queue): Queue {
  const [known] = [...POSITIONS].find(([, value]) => value === position) ?? [position];
  return { position: known, priority };
}

/** A full queue has no cause of its own in TS 24.581. */
function rejectCause(cause: number): number {
  const causes: readonly number[] = Object.values(TRANSMISSION_REJECT_CAUSES);
  return causes.includes(cause) ? cause : TRANSMISSION_REJECT_CAUSES.OTHER;
}
