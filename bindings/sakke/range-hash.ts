/**
 * HashToIntegerRange (RFC 6508 5.1) with SHA-256 for the two ranges of parameter set 1. With A = SHA-256(s),
 * h_0 = 0 and h_i = SHA-256(h_(i-1)), the result is SHA-256(h_1 || A) || SHA-256(h_2 || A) || ... mod the range.
 */
import { sha256 } from "@noble/hashes/sha2.js";

const HASH = 32;

/** Octets of hash output for a range of 1022 bits; the core reduces them mod q. */
export const SCALAR_HASH_BYTES = 128;

export class RangeHash {
  /** One block each: h_i, then room for A. */
  readonly #blocks: Uint8Array[];

  constructor() {
    this.#blocks = [];
    let h = new Uint8Array(HASH);
    for (let i = 0; i < SCALAR_HASH_BYTES / HASH; i++) {
      h = sha256(h) as Uint8Array<ArrayBuffer>;
      const block = new Uint8Array(2 * HASH);
      block.set(h);
      this.#blocks.push(block);
    }
  }

  /** v_1 || ... || v_4 for range q, to be reduced. */
  scalar(s: Uint8Array): Uint8Array {
    const a = sha256(s);
    const out = new Uint8Array(SCALAR_HASH_BYTES);
    this.#blocks.forEach((_, i) => {
      const v = this.#hash(i, a);
      out.set(v, i * HASH);
      v.fill(0);
    });
    a.fill(0);
    return out;
  }

  /** The hash for range 2^128: the last 16 octets of v_1. lg(2^128) = 128, so one block is enough. */
  mask(s: Uint8Array): Uint8Array {
    const a = sha256(s);
    const v = this.#hash(0, a);
    const out = v.slice(HASH - 16);
    v.fill(0);
    a.fill(0);
    return out;
  }

  #hash(i: number, a: Uint8Array): Uint8Array {
    const block = this.#blocks[i]!;
    block.set(a, HASH);
    const out = sha256(block);
    block.fill(0, HASH);
    return out;
  }
}
