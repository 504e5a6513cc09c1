import { sha256 } from "@noble/hashes/sha2.js";
import { concat, utf8 } from "../../base/bytes.ts";
import type { RandomSource } from "../../base/random.ts";

/** The same octets for the same seed, so that a failing test fails again. */
export function seededRandom(seed: string): RandomSource {
  let block = sha256(utf8(seed));
  let used = 0;
  return (length) => {
    const out = new Uint8Array(length);
    for (let i = 0; i < length; i++) {
      if (used === block.length) {
        block = sha256(concat(block, utf8(seed)));
        used = 0;
      }
      out[i] = block[used++]!;
    }
    return out;
  };
}
