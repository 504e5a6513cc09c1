import { MikeySakkeError } from "../../base/errors.ts";

/** `kind/code` of the error a call throws, "none" if it returns. Any other error passes through. */
export function errorCode(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof MikeySakkeError) return `${error.kind}/${error.code}`;
    throw error;
  }
  return "none";
}

/** A copy with one bit changed; bit 0 is the least significant of octet 0. */
export function flip(source: Uint8Array, bit: number): Uint8Array {
  const out = Uint8Array.from(source);
  out[bit >> 3]! ^= 1 << (bit & 7);
  return out;
}
