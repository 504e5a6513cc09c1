/** Numbers of transmission control (TS 24.581 9.2). */

/**
 * The names of the RTCP APP packets: of messages that participants send, that the server sends, and that both send
 * (9.1.2).
 */
export type TransmissionApp = "MCV0" | "MCV1" | "MCV2";

/** Name and subtype of each message, tables 9.2.2.1-1 to -3. The fifth bit of a subtype asks for an acknowledgement. */
export const TRANSMISSION_MESSAGES = {
  "Transmission Request": ["MCV0", 0],
  "Queue Position Request": ["MCV0", 3],
  "Receive Media Request": ["MCV0", 4],
  "Transmission Granted": ["MCV1", 0],
  "Transmission Rejected": ["MCV1", 1],
  "Transmission Revoked": ["MCV1", 4],
  "Queue Position Info": ["MCV1", 5],
  "Media Transmission Notification": ["MCV1", 6],
  "Receive Media Response": ["MCV1", 7],
  "Media Reception Notification": ["MCV1", 8],
  "Transmission End Notify": ["MCV1", 14],
  "Transmission Idle": ["MCV1", 15],
  "Transmission End Request": ["MCV2", 0],
  "Transmission End Response": ["MCV2", 1],
  "Media Reception End Request": ["MCV2", 2],
  "Media Reception End Response": ["MCV2", 3],
  "Transmission Control Ack": ["MCV2", 4],
} as const satisfies Readonly<Record<string, readonly [TransmissionApp, number]>>;

export type TransmissionMessageName = keyof typeof TRANSMISSION_MESSAGES;

/** Field identifiers, table 9.2.3.1-1. */
export const TRANSMISSION_FIELDS = {
  PRIORITY: 0,
  DURATION: 1,
  REJECT_CAUSE: 2,
  QUEUE_INFO: 3,
  TRANSMITTER: 4,
  PERMISSION_TO_REQUEST: 5,
  USER_ID: 6,
  SEQUENCE_NUMBER: 8,
  SOURCE: 10,
  MESSAGE_TYPE: 12,
  INDICATOR: 13,
  AUDIO_SSRC: 14,
  RESULT: 15,
  MESSAGE_NAME: 16,
  RECEPTION_PRIORITY: 19,
  RECEPTION_MODE: 22,
  VIDEO_SSRC: 23,
} as const;

/** 9.2.6.2; of a Transmission Rejected. */
export const TRANSMISSION_REJECT_CAUSES = {
  LIMIT_REACHED: 1,
  SERVER_ERROR: 2,
  ONLY_ONE_PARTICIPANT: 3,
  RETRY_AFTER: 4,
  RECEIVE_ONLY: 5,
  NO_RESOURCES: 6,
  OTHER: 255,
} as const;

/** 9.2.15.2; of a Receive Media Response that rejects. */
export const RECEPTION_REJECT_CAUSES = {
  SERVER_ERROR: 2,
  RETRY_AFTER: 4,
  SEND_ONLY: 5,
  NO_RESOURCES: 6,
  TOO_MANY_STREAMS: 7,
  OTHER: 255,
} as const;

/** Positions in a Queue Info that are none (9.2.3.5). */
export const QUEUE_POSITIONS = { NOT_QUEUED: 254, UNKNOWN: 255 } as const;

/** 9.2.3.22: whether who receives a transmission has to ask for it. */
export const RECEPTION_MODES = { AUTOMATIC: 0, MANUAL: 1 } as const;

/** Values of the Source (9.2.3.12). */
export const TRANSMISSION_SOURCES = { PARTICIPANT: 0, CONTROLLING: 2 } as const;
