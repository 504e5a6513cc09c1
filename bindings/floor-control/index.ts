/** Messages of floor control (TS 24.380 8.2), for protection by SRTCP (TS 33.180 9.4). */
export { decodeFloorMessage, encodeFloorMessage, type FloorMessage } from "./message.ts";
export {
  DENY_CAUSES,
  FLOOR_FIELDS,
  FLOOR_MESSAGES,
  type FloorMessageName,
  INDICATORS,
  REVOKE_CAUSES,
} from "./names.ts";
