/** RAND payload (RFC 3830 6.11). It enters every key derivation, so it is kept with the key. */
import { concat } from "../../base/bytes.ts";
import type { Reader } from "./reader.ts";
import { u8 } from "./writer.ts";

/** RFC 3830 6.11 asks for at least 16 octets; all products send 16. */
export const RAND_BYTES = 16;

export interface RandPayload {
  readonly payload: "RAND";
  readonly rand: Uint8Array;
}

export function decodeRand(r: Reader): RandPayload {
  return { payload: "RAND", rand: r.take(r.u8("RAND length"), "RAND") };
}

export function encodeRand(p: RandPayload): Uint8Array {
  return concat(u8(p.rand.length), p.rand);
}
