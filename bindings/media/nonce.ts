/** Nonces of RFC 7714 8.1 and 9.1: SSRC and index, XORed with the session salt. No two packets of a key have the same. */
import { GCM_NONCE_BYTES } from "./aes.ts";
import { SEQUENCE_NUMBERS } from "./packet-index.ts";

const SSRC_AT = 2;
const ROC_AT = 6;
const SEQUENCE_AT = 10;
const SRTCP_INDEX_AT = 8;

export function srtpNonce(salt: Uint8Array, ssrc: number, index: number): Uint8Array {
  const nonce = new Uint8Array(GCM_NONCE_BYTES);
  const view = new DataView(nonce.buffer);
  view.setUint32(SSRC_AT, ssrc);
  view.setUint32(ROC_AT, Math.floor(index / SEQUENCE_NUMBERS));
  view.setUint16(SEQUENCE_AT, index % SEQUENCE_NUMBERS);
  return xor(nonce, salt);
}

export function srtcpNonce(salt: Uint8Array, ssrc: number, index: number): Uint8Array {
  const nonce = new Uint8Array(GCM_NONCE_BYTES);
  const view = new DataView(nonce.buffer);
  view.setUint32(SSRC_AT, ssrc);
  view.setUint32(SRTCP_INDEX_AT, index);
  return xor(nonce, salt);
}

function xor(nonce: Uint8Array, salt: Uint8Array): Uint8Array {
  for (let i = 0; i < nonce.length; i++) nonce[i]! ^= salt[i]!;
  return nonce;
}
