/** Big-endian fields to octets. Lengths that their field cannot carry are the caller's fault. */
import { MikeySakkeError } from "../../base/errors.ts";

export function u8(...values: number[]): Uint8Array {
  for (const value of values) requireRange(value, 0xff);
  return Uint8Array.from(values);
}

export function u16(value: number): Uint8Array {
  requireRange(value, 0xffff);
  return Uint8Array.of(value >> 8, value);
}

export function u32(value: number): Uint8Array {
  requireRange(value, 0xffffffff);
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

export function u40(value: number): Uint8Array {
  requireRange(value, 2 ** 40 - 1);
  const low = value % 2 ** 32;
  return Uint8Array.of(Math.floor(value / 2 ** 32), low >>> 24, low >>> 16, low >>> 8, low);
}

export function u64(value: bigint): Uint8Array {
  if (value < 0n || value >= 1n << 64n) {
    throw new MikeySakkeError("usage", "FIELD_OUT_OF_RANGE", `${value}: does not fit 64 bits`);
  }
  const out = new Uint8Array(8);
  new DataView(out.buffer).setBigUint64(0, value);
  return out;
}

function requireRange(value: number, max: number): void {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new MikeySakkeError("usage", "FIELD_OUT_OF_RANGE", `${value}: not a whole number from 0 to ${max}`);
  }
}
