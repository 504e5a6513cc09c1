/** Messages of transmission control (TS 24.581 9.2), for protection by SRTCP (TS 33.180 9.4). */
export {
  decodeTransmissionMessage,
  encodeTransmissionMessage,
  type TransmissionMessage,
} from "./message.ts";
export {
  QUEUE_POSITIONS,
  RECEPTION_MODES,
  RECEPTION_REJECT_CAUSES,
  TRANSMISSION_FIELDS,
  TRANSMISSION_MESSAGES,
  TRANSMISSION_REJECT_CAUSES,
  TRANSMISSION_SOURCES,
  type TransmissionApp,
  type TransmissionMessageName,
} from "./names.ts";
