/** SDS SIGNALLING PAYLOAD (TS 24.282 15.1.2): which message it is, and of which conversation. */
import { concat } from "../../base/bytes.ts";
import { MikeySakkeError, requireBytes } from "../../base/errors.ts";
import { Reader } from "../mikey/reader.ts";
import { u8, u40 } from "../mikey/writer.ts";
import { MCDATA_IEIS, MCDATA_TYPES } from "./message-types.ts";

/** Octets of conversation and message IDs, which are UUIDs. */
export const MCDATA_ID_BYTES = 16;

export interface SdsSignalling {
  /** Unix seconds. */
  readonly dateTime: number;
  readonly conversationId: Uint8Array;
  readonly messageId: Uint8Array;
  readonly inReplyTo?: Uint8Array;
  readonly applicationId?: number;
  /** One of `SDS_DISPOSITION_REQUESTS`. */
  readonly dispositionRequest?: number;
}

export function encodeSdsSignalling(sds: SdsSignalling): Uint8Array {
  const { dateTime, conversationId, messageId, inReplyTo, applicationId, dispositionRequest } = sds;
  requireBytes(conversationId, "conversation ID", MCDATA_ID_BYTES);
  requireBytes(messageId, "message ID", MCDATA_ID_BYTES);
  if (inReplyTo !== undefined) requireBytes(inReplyTo, "in reply to", MCDATA_ID_BYTES);
  if (dispositionRequest !== undefined && (dispositionRequest < 0 || dispositionRequest > 0xf)) {
    throw new MikeySakkeError("usage", "FIELD_OUT_OF_RANGE", "disposition request: must fit half an octet");
  }
  return concat(
    u8(MCDATA_TYPES.SDS_SIGNALLING_PAYLOAD),
    u40(dateTime),
    conversationId,
    messageId,
    ...(inReplyTo === undefined ? [] : [u8(MCDATA_IEIS.IN_REPLY_TO), inReplyTo]),
    ...(applicationId === undefined ? [] : [u8(MCDATA_IEIS.APPLICATION_ID, applicationId)]),
    ...(dispositionRequest === undefined
      ? []
      : [u8(MCDATA_IEIS.SDS_DISPOSITION_REQUEST * 16 + dispositionRequest)]),
  );
}

/** Codec errors `TRUNCATED`, `BAD_MCDATA_SIGNALLING`. What comes behind an unknown element is ignored with it. */
export function decodeSdsSignalling(octets: Uint8Array): SdsSignalling {
  const r = new Reader(octets);
  const type = r.u8("message type");
  if (type !== MCDATA_TYPES.SDS_SIGNALLING_PAYLOAD) {
    throw new MikeySakkeError("codec", "BAD_MCDATA_SIGNALLING", `message type ${type}, must be 1`);
  }
  const sds: { -readonly [K in keyof SdsSignalling]: SdsSignalling[K] } = {
    dateTime: r.u40("date and time"),
    conversationId: r.take(MCDATA_ID_BYTES, "conversation ID"),
    messageId: r.take(MCDATA_ID_BYTES, "message ID"),
  };
  while (r.remaining > 0) {
    const iei = r.u8("IEI");
    if (iei === MCDATA_IEIS.IN_REPLY_TO) sds.inReplyTo = r.take(MCDATA_ID_BYTES, "in reply to");
    else if (iei === MCDATA_IEIS.APPLICATION_ID) sds.applicationId = r.u8("application ID");
    else if (iei >> 4 === MCDATA_IEIS.SDS_DISPOSITION_REQUEST) sds.dispositionRequest = iei & 0xf;
    // TLV-E elements have IEIs from 0x78 to 0x7f; of others nothing says how long they are.
    else if (iei >= 0x78 && iei <= 0x7f) r.take((r.u8("length") << 8) | r.u8("length"), "element");
    else break;
  }
  return sds;
}
