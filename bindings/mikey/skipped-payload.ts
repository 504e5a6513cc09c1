/**
 * Payloads that an I_MESSAGE of TS 33.180 does not carry. They are read only to find what stands behind
 * them, so that the inspector can show the rest: ID, CERT, V and ERR (RFC 3830 6.7, 6.8, 6.9, 6.12).
 */
import { refusal } from "../../base/checks.ts";
import { ID_TYPE_NAMES, PAYLOAD_CODES } from "./codes.ts";
import type { Reader } from "./reader.ts";

export interface OtherPayload {
  readonly payload: "OTHER";
  readonly code: number;
}

/** Length of the verification data by authentication algorithm (RFC 3830 6.9, RFC 6043 6.5). */
const V_BYTES: Readonly<Record<number, number>> = { 0: 0, 1: 20, 2: 32 };

export function isOtherPayload(code: number): boolean {
  const { ID, CERT, V, ERR } = PAYLOAD_CODES;
  return code === ID || code === CERT || code === V || code === ERR;
}

export function decodeOther(r: Reader, code: number): OtherPayload {
  if (code === PAYLOAD_CODES.ID) {
    r.u8("ID type", ID_TYPE_NAMES);
    r.take(r.u16("ID length"), "ID data");
  } else if (code === PAYLOAD_CODES.CERT) {
    r.u8("cert type");
    r.take(r.u16("cert length"), "certificate");
  } else if (code === PAYLOAD_CODES.V) {
    const offset = r.offset;
    const length = V_BYTES[r.u8("auth alg")];
    if (length === undefined)
      throw refusal("UNKNOWN_PAYLOAD", "V: authentication algorithm not known", { offset });
    r.take(length, "verification data");
  } else {
    r.u8("error no");
    r.u16("reserved");
  }
  return { payload: "OTHER", code };
}
