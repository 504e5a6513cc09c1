/** The memory in which cases work: blocks of the core's memory, filled with inputs, and kinds of secret scalars. */
import type { Core } from "../../bindings/core/core.ts";
import { systemRandom } from "../../bindings/index.ts";
import type { Pool } from "./case.ts";
import { pool } from "./case.ts";

/** Inputs of a class: enough that none is learnt by heart, few enough to stay in the cache. */
export const POOL = 64;

/** A block for good; the process ends with the test. */
export function block(core: Core, bytes: number): number {
  return core.arena.alloc(bytes);
}

/** A random integer of `bytes` octets below 2^(8 bytes - 3), and so below the order of its curve. */
export function dense(bytes: number): Uint8Array {
  const out = systemRandom(bytes);
  out[0]! &= 0x1f;
  return out;
}

/** An integer with four bits set, the lowest among them or not. */
export function sparse(bytes: number): Uint8Array {
  const out = new Uint8Array(bytes);
  for (let bits = 0; bits < 4; ) {
    const [high, low] = systemRandom(2);
    const bit = ((high! << 8) | low!) % (8 * bytes - 3);
    const [at, mask] = [bytes - 1 - (bit >> 3), 1 << (bit & 7)];
    if ((out[at]! & mask) === 0) bits++;
    out[at]! |= mask;
  }
  return out;
}

/** An integer with all bits set but four. */
export function full(bytes: number): Uint8Array {
  const out = sparse(bytes).map((octet) => ~octet);
  out[0]! &= 0x1f;
  return out;
}

/** A small integer. */
export function small(bytes: number, value: number): Uint8Array {
  const out = new Uint8Array(bytes);
  out[bytes - 1] = value;
  return out;
}

export function denses(bytes: number): Pool<Uint8Array> {
  return pool(POOL, () => dense(bytes));
}

export function sparses(bytes: number): Pool<Uint8Array> {
  return pool(POOL, () => sparse(bytes));
}

export function fulls(bytes: number): Pool<Uint8Array> {
  return pool(POOL, () => full(bytes));
}

/** Writes `count` times the same octets, `stride` apart: each lane gets the same work. */
export function fill(core: Core, at: number, count: number, stride: number, octets: Uint8Array): void {
  for (let i = 0; i < count; i++) core.write(at + i * stride, octets);
}
