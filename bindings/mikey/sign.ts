/**
 * SIGN payload (RFC 3830 6.5, RFC 6509 4.3): no next payload octet, always last. The signature covers the
 * message from its first octet to the two octets of this payload's header (RFC 3830 5.2).
 */
import { concat } from "../../base/bytes.ts";
import { SIGNATURE_BYTES } from "../eccsi/index.ts";
import { S_TYPE_ECCSI, S_TYPE_NAMES } from "./codes.ts";
import type { Reader } from "./reader.ts";
import { u16 } from "./writer.ts";

export const SIGN_HEADER_BYTES = 2;

export interface SignPayload {
  readonly payload: "SIGN";
  readonly sType: number;
  /** r, s and PVT: 129 octets with ECCSI. E.1.2 prints 32, which cannot hold one. */
  readonly signature: Uint8Array;
}

export function decodeSign(r: Reader): SignPayload {
  const offset = r.offset;
  const header = r.u16("S type and signature length");
  const sType = header >> 12;
  r.note("S type", offset, 1, sType, S_TYPE_NAMES[sType]);
  r.note("signature length", offset, 2, header & 0x0fff);
  return { payload: "SIGN", sType, signature: r.take(header & 0x0fff, "signature") };
}

export function encodeSign(p: SignPayload): Uint8Array {
  return concat(u16((p.sType << 12) | p.signature.length), p.signature);
}

/** The last octets that an ECCSI signature covers: 20 81. */
export function eccsiSignHeader(): Uint8Array {
  return u16((S_TYPE_ECCSI << 12) | SIGNATURE_BYTES);
}
