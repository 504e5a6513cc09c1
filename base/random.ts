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

/** A number from 0 up to, but not including, 1: for waits, not for secrets. */
export function fraction(random: RandomSource): number {
  const [a = 0, b = 0, c = 0, d = 0] = random(4);
  return (((a * 256 + b) * 256 + c) * 256 + d) / 2 ** 32;
}
