/** Numbers of floor control (TS 24.380 8.2). */

/** Message subtypes, table 8.2.2-1. The fifth bit of a subtype asks for a Floor Ack. */
export const FLOOR_MESSAGES = {
  "Floor Request": 0,
  "Floor Granted": 1,
  "Floor Taken": 2,
  "Floor Deny": 3,
  "Floor Release": 4,
  "Floor Idle": 5,
  "Floor Revoke": 6,
  "Floor Queue Position Request": 8,
  "Floor Queue Position Info": 9,
  "Floor Ack": 10,
} as const;

export type FloorMessageName = keyof typeof FLOOR_MESSAGES;

/** Field identifiers, table 8.2.3.1-2 of releases after 13.0, which had others. */
export const FLOOR_FIELDS = {
  PRIORITY: 0,
  DURATION: 1,
  REJECT_CAUSE: 2,
  QUEUE_INFO: 3,
  GRANTED_PARTY: 4,
  PERMISSION_TO_REQUEST: 5,
  USER_ID: 6,
  QUEUE_SIZE: 7,
  SEQUENCE_NUMBER: 8,
  QUEUED_USER_ID: 9,
  SOURCE: 10,
  TRACK_INFO: 11,
  MESSAGE_TYPE: 12,
  INDICATOR: 13,
  SSRC: 14,
} as const;

/** 8.2.6.2; of a Floor Deny. */
export const DENY_CAUSES = {
  ANOTHER_HAS_PERMISSION: 1,
  SERVER_ERROR: 2,
  ONLY_ONE_PARTICIPANT: 3,
  RETRY_AFTER: 4,
  RECEIVE_ONLY: 5,
  NO_RESOURCES: 6,
  QUEUE_FULL: 7,
  OTHER: 255,
} as const;

/** 8.2.10.2; of a Floor Revoke. */
export const REVOKE_CAUSES = {
  ONLY_ONE_CLIENT: 1,
  BURST_TOO_LONG: 2,
  NO_PERMISSION: 3,
  PRE_EMPTED: 4,
  NO_RESOURCES: 6,
  OTHER: 255,
} as const;

/** Bits of the Floor Indicator (8.2.3.15). */
export const INDICATORS = {
  NORMAL: 0x8000,
  BROADCAST: 0x4000,
  SYSTEM: 0x2000,
  EMERGENCY: 0x1000,
  IMMINENT_PERIL: 0x0800,
} as const;
