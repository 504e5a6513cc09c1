/** DATA PAYLOAD (TS 24.282 15.1.4): what a short data message says. */
import { concat } from "../../base/bytes.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import { Reader } from "../mikey/reader.ts";
import { u8, u16 } from "../mikey/writer.ts";
import { MCDATA_IEIS, MCDATA_TYPES } from "./message-types.ts";

export interface McDataPayload {
  /** As in `PAYLOAD_CONTENT_TYPES`. */
  readonly contentType: number;
  readonly data: Uint8Array;
}

/** The length octets of an element count the content type too. */
export const MAX_PAYLOAD_BYTES = 0xffff - 1;

/** @throws MikeySakkeError usage `BAD_MCDATA_PAYLOAD` */
export function encodeDataPayload(payloads: readonly McDataPayload[]): Uint8Array {
  if (payloads.length === 0 || payloads.length > 0xff) {
    throw bad("usage", `${payloads.length} payloads, must be 1 to 255`);
  }
  const elements = payloads.flatMap(({ contentType, data }) => {
    if (data.length > MAX_PAYLOAD_BYTES)
      throw bad("usage", `payload of ${data.length} octets, at most 65534`);
    return [u8(MCDATA_IEIS.PAYLOAD), u16(data.length + 1), u8(contentType), data];
  });
  return concat(u8(MCDATA_TYPES.DATA_PAYLOAD, payloads.length), ...elements);
}

/** Elements behind the payloads are ignored. Codec errors `TRUNCATED`, `BAD_MCDATA_PAYLOAD`. */
export function decodeDataPayload(octets: Uint8Array): McDataPayload[] {
  const r = new Reader(octets);
  const type = r.u8("message type");
  if (type !== MCDATA_TYPES.DATA_PAYLOAD) throw bad("codec", `message type ${type}, must be 3`);
  return Array.from({ length: r.u8("number of payloads") }, () => {
    const iei = r.u8("payload IEI");
    if (iei !== MCDATA_IEIS.PAYLOAD) throw bad("codec", `element ${iei}, must be a payload`);
    const element = r.part(r.u16("payload length"), "payload");
    const contentType = element.u8("payload content type");
    return { contentType, data: element.take(element.remaining, "payload data") };
  });
}

function bad(kind: "usage" | "codec", text: string): MikeySakkeError {
  return new MikeySakkeError(kind, "BAD_MCDATA_PAYLOAD", `DATA PAYLOAD: ${text}`);
}
