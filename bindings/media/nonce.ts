/** Nonces of RFC 7714 8.1 and 9.1: SSRC and index, XORed with the session salt. No two packets of a key have the same. */
import { GCM_NONCE_BYTES } from "./aes.ts";
import { SEQUENCE_NUMBERS } from "./packet-index.ts";

const SSRC_AT = 2;
const ROC_AT = 6;
const SEQUENCE_AT = 10;
const SRTCP_INDEX_AT = 8;

/**
 * Returns the nonce of an SRTP packet, written to the 12 octets of `nonce`. node:crypto takes the ArrayBuffer of a nonce, which an
 * array that has been used before has already, and a new one does not.
 */
export function srtpNonce(
  salt: Uint8Array,
  ssrc: number,
  index: number,
  nonce = new Uint8Array(GCM_NONCE_BYTES),
): Uint8Array {
  for (let i = 0; i < GCM_NONCE_BYTES; i++) nonce[i] = salt[i]!;
  const sequenceNumber = index % SEQUENCE_NUMBERS;
  xor32(nonce, SSRC_AT, ssrc);
  xor32(nonce, ROC_AT, (index - sequenceNumber) / SEQUENCE_NUMBERS);
  nonce[SEQUENCE_AT]! ^= sequenceNumber >>> 8;
  nonce[SEQUENCE_AT + 1]! ^= sequenceNumber;
  return nonce;
}

export function srtcpNonce(salt: Uint8Array, ssrc: number, index: number): Uint8Array {
  const nonce = salt.slice();
  xor32(nonce, SSRC_AT, ssrc);
  xor32(nonce, SRTCP_INDEX_AT, index);
  return nonce;
}

/** XORs an unsigned number of 32 bits into four octets. */
function xor32(octets: Uint8Array, at: number, value: number): void {
  octets[at]! ^= value >>> 24;
  octets[at + 1]! ^= value >>> 16;
  octets[at + 2]! ^= value >>> 8;
  octets[at + 3]! ^= value;
}
