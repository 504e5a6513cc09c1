/** SAKKE payload (RFC 6509 4.2). Parameter set 1 and a 16-octet key make 273 octets of data. */
import { concat } from "../../base/bytes.ts";
import { SED_BYTES } from "../sakke/index.ts";
import { ID_SCHEME_MCX_UID, ID_SCHEME_NAMES, SAKKE_PARAMETER_SET_1, SAKKE_PARAMS_NAMES } from "./codes.ts";
import type { Reader } from "./reader.ts";
import { u8, u16 } from "./writer.ts";

export interface SakkePayload {
  readonly payload: "SAKKE";
  readonly params: number;
  readonly idScheme: number;
  /** SAKKE Encapsulated Data: point R (257 octets) and hint H (16 octets). */
  readonly sed: Uint8Array;
}

export function decodeSakke(r: Reader): SakkePayload {
  const params = r.u8("SAKKE params", SAKKE_PARAMS_NAMES);
  const idScheme = r.u8("ID scheme", ID_SCHEME_NAMES);
  const sed = r.take(r.u16("SAKKE data length"), "SAKKE data", (octets) =>
    octets.length === SED_BYTES ? "R (257 octets) and H (16 octets)" : undefined,
  );
  return { payload: "SAKKE", params, idScheme, sed };
}

export function encodeSakke(p: SakkePayload): Uint8Array {
  return concat(u8(p.params, p.idScheme), u16(p.sed.length), p.sed);
}

/** The one form that TS 33.180 lets an initiator send. */
export function sakke(sed: Uint8Array): SakkePayload {
  return { payload: "SAKKE", params: SAKKE_PARAMETER_SET_1, idScheme: ID_SCHEME_MCX_UID, sed };
}
