/** Finds what calls leave behind in the linear memory of a core. */
import type { Core } from "../../bindings/core/core.ts";

const bytesOf = (core: Core) => new Uint8Array(core.memory.buffer);

/** A picture of a core's memory, to compare with what it is after a call. */
export class MemoryWatch {
  readonly #core: Core;
  readonly #before: Uint8Array;

  constructor(core: Core) {
    this.#core = core;
    this.#before = bytesOf(core).slice();
  }

  /** Ranges of octets that are not as they were; memory that was added counts as zeros. At most ten. */
  changes(): string[] {
    const now = bytesOf(this.#core);
    const before = this.#before;
    const grown = now.subarray(before.length);
    if (Buffer.compare(now.subarray(0, before.length), before) === 0 && isZero(grown)) return [];
    const ranges: string[] = [];
    for (let at = 0; at < now.length && ranges.length < 10; at++) {
      if (now[at] === (before[at] ?? 0)) continue;
      const from = at;
      // A few octets that happen to agree do not end a range.
      for (let same = 0; same < 64 && at < now.length; at++)
        same = now[at] === (before[at] ?? 0) ? same + 1 : 0;
      ranges.push(`${from} to ${at - 64}`);
    }
    return ranges;
  }
}

function isZero(bytes: Uint8Array): boolean {
  return Buffer.compare(bytes, Buffer.alloc(bytes.length)) === 0;
}

/** Returns whether all of the memory is zero. */
export function isClear(core: Core): boolean {
  return isZero(bytesOf(core));
}

/** Returns whether the memory holds these octets, in this order or the other way round as the words of an integer. */
export function holds(core: Core, secret: Uint8Array): boolean {
  const memory = Buffer.from(core.memory.buffer);
  return memory.includes(Buffer.from(secret)) || memory.includes(Buffer.from(secret).reverse());
}
