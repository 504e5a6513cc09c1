/**
 * General Extension payload (RFC 3830 6.15). Type 6 carries a second SAKKE payload for the initiator's other
 * devices (TS 33.180 E.5), type 7 the protected key parameters (E.6).
 */
import { concat } from "../../base/bytes.ts";
import { refusal } from "../../base/checks.ts";
import { EXT_KEY_PARAMETERS, EXT_SAKKE_TO_SELF, EXTENSION_NAMES, PAYLOAD_CODES } from "./codes.ts";
import type { Reader } from "./reader.ts";
import { decodeSakke, encodeSakke, type SakkePayload } from "./sakke.ts";
import { u8, u16 } from "./writer.ts";

export interface GeneralExtensionPayload {
  readonly payload: "GENERAL_EXT";
  readonly type: number;
  readonly data: Uint8Array;
}

export function decodeGeneralExtension(r: Reader): GeneralExtensionPayload {
  const type = r.u8("extension type", EXTENSION_NAMES);
  const data = r.take(r.u16("extension length"), "extension data");
  return { payload: "GENERAL_EXT", type, data };
}

export function encodeGeneralExtension(p: GeneralExtensionPayload): Uint8Array {
  return concat(u8(p.type), u16(p.data.length), p.data);
}

/** Type 6 around a SAKKE payload, whose own next payload octet is sent as 0 (E.5). */
export function sakkeToSelf(sakke: SakkePayload): GeneralExtensionPayload {
  const data = concat(u8(PAYLOAD_CODES.LAST), encodeSakke(sakke));
  return { payload: "GENERAL_EXT", type: EXT_SAKKE_TO_SELF, data };
}

/** Type 7 around a protected payload message (E.6.1). */
export function keyParametersExtension(data: Uint8Array): GeneralExtensionPayload {
  return { payload: "GENERAL_EXT", type: EXT_KEY_PARAMETERS, data };
}

/** The SAKKE payload inside a type 6 extension; the inner next payload octet is ignored (E.5). */
export function readSakkeToSelf(r: Reader): SakkePayload {
  r.u8("next payload (ignored)");
  const sakke = decodeSakke(r);
  if (r.remaining > 0) {
    throw refusal("BAD_SELF_EXTENSION", `SAKKE-to-self: ${r.remaining} octets too many`, {
      offset: r.offset,
    });
  }
  return sakke;
}
