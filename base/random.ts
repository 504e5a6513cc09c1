/**
 * A source of `length` unpredictable octets, passed in wherever randomness is needed. Each call gives an array of its
 * own: who asked for it may change it, and wipes it.
 */
export type RandomSource = (length: number) => Uint8Array;

/** `crypto.getRandomValues` of the host asks for at most 65536 octets a call. */
const MAX_REQUEST = 65536;

/** The host's cryptographic generator. */
export const systemRandom: RandomSource = (length) => {
  const out = new Uint8Array(length);
  for (let at = 0; at < length; at += MAX_REQUEST) {
    globalThis.crypto.getRandomValues(out.subarray(at, Math.min(length, at + MAX_REQUEST)));
  }
  return out;
};
