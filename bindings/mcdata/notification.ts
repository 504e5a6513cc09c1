/** SDS NOTIFICATION and FD NOTIFICATION (TS 24.282 15.1.5, 15.1.6): what became of a message or a file. */
import { concat } from "../../base/bytes.ts";
import { MikeySakkeError, requireBytes } from "../../base/errors.ts";
import { Reader } from "../mikey/reader.ts";
import { u8, u40 } from "../mikey/writer.ts";
import { MCDATA_TYPES } from "./message-types.ts";
import { MCDATA_ID_BYTES } from "./sds-signalling.ts";

/** The events of a message that its sender may ask to be told of (15.2.3). */
export const SDS_DISPOSITION_REQUESTS = { DELIVERY: 1, READ: 2, DELIVERY_AND_READ: 3 } as const;
/** 15.2.5. */
export const SDS_DISPOSITIONS = {
  UNDELIVERED: 1,
  DELIVERED: 2,
  READ: 3,
  DELIVERED_AND_READ: 4,
  PREVENTED: 5,
} as const;
/** 15.2.6. */
export const FD_DISPOSITIONS = { ACCEPTED: 1, REJECTED: 2, COMPLETED: 3, DEFERRED: 4 } as const;

export interface McDataNotification {
  readonly of: "sds" | "fd";
  /** One of `SDS_DISPOSITIONS` or `FD_DISPOSITIONS`; what is unknown is read as it came. */
  readonly disposition: number;
  /** Unix seconds. */
  readonly dateTime: number;
  /** The identifiers of the message that the notification is about. */
  readonly conversationId: Uint8Array;
  readonly messageId: Uint8Array;
}

/** @throws MikeySakkeError usage `WRONG_LENGTH`: identifiers are UUIDs of 16 octets */
export function encodeNotification(notification: McDataNotification): Uint8Array {
  const { of, disposition, dateTime, conversationId, messageId } = notification;
  requireBytes(conversationId, "conversation ID", MCDATA_ID_BYTES);
  requireBytes(messageId, "message ID", MCDATA_ID_BYTES);
  const type = of === "sds" ? MCDATA_TYPES.SDS_NOTIFICATION : MCDATA_TYPES.FD_NOTIFICATION;
  return concat(u8(type, disposition), u40(dateTime), conversationId, messageId);
}

/** Codec errors `TRUNCATED`, `BAD_MCDATA_SIGNALLING`. Optional elements are ignored. */
export function decodeNotification(octets: Uint8Array): McDataNotification {
  const r = new Reader(octets);
  const type = r.u8("message type");
  if (type !== MCDATA_TYPES.SDS_NOTIFICATION && type !== MCDATA_TYPES.FD_NOTIFICATION) {
    throw new MikeySakkeError(
      "codec",
      "BAD_MCDATA_SIGNALLING",
      `notification: message type ${type}, must be 5 or 6`,
    );
  }
  return {
    of: type === MCDATA_TYPES.SDS_NOTIFICATION ? "sds" : "fd",
    disposition: r.u8("disposition"),
    dateTime: r.u40("date and time"),
    conversationId: r.take(MCDATA_ID_BYTES, "conversation ID"),
    messageId: r.take(MCDATA_ID_BYTES, "message ID"),
  };
}
