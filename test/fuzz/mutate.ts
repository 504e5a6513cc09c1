/** New inputs out of those that ran something new. */
import type { Draw } from "../hostile/inputs/draw.ts";
import { anyChange, BOUNDARY_NUMBERS, flip } from "../hostile/inputs/octets.ts";

/** Longer ones run no other code, only slower. */
const MAX_BYTES = 8192;

const join = (...parts: readonly Uint8Array[]) => Uint8Array.from(Buffer.concat(parts));
const octetsOf = (word: string) => new Uint8Array(Buffer.from(word, "latin1"));

export function mutate(draw: Draw, corpus: readonly Uint8Array[], words: readonly string[]): Uint8Array {
  let octets = draw.pick(corpus);
  for (let rounds = 1 + draw.below(4); rounds > 0; rounds--) octets = once(draw, octets, corpus, words);
  return octets.subarray(0, MAX_BYTES);
}

function once(
  draw: Draw,
  octets: Uint8Array,
  corpus: readonly Uint8Array[],
  words: readonly string[],
): Uint8Array {
  const at = draw.below(octets.length + 1);
  const [before, after] = [octets.subarray(0, at), octets.subarray(at)];
  switch (draw.below(6)) {
    case 0:
      return join(before, octetsOf(draw.pick(words)), after);
    case 1: {
      const word = octetsOf(draw.pick(words));
      return join(before, word, after.subarray(word.length));
    }
    case 2:
      return join(before, octetsOf(draw.pick(BOUNDARY_NUMBERS)), after.subarray(draw.below(4)));
    case 3:
      return flip(draw, octets);
    case 4:
      return join(before, draw.octets(1 + draw.below(4)), after);
    default:
      return anyChange(draw, octets, draw.pick(corpus));
  }
}
