/** First-fit allocation in a linear memory above the module's own data. Blocks are 64-octet aligned. */
import { MikeySakkeError } from "../../base/errors.ts";

const PAGE = 65536;
const ALIGN = 64;

interface Block {
  at: number;
  length: number;
}

export class Arena {
  readonly #memory: WebAssembly.Memory;
  readonly #used = new Map<number, number>();
  #free: Block[] = [];
  #end: number;
  readonly #limit: number;

  /** Manages everything from `start` on, up to `limit` if there is one. */
  constructor(memory: WebAssembly.Memory, start: number, limit = Number.POSITIVE_INFINITY) {
    this.#memory = memory;
    this.#end = align(start);
    this.#limit = limit;
  }

  /** Octets in use. */
  get usedBytes(): number {
    let sum = 0;
    for (const length of this.#used.values()) sum += length;
    return sum;
  }

  /** Address of `bytes` fresh octets; their content is undefined. Throws a crypto error when memory is full. */
  alloc(bytes: number): number {
    const length = align(Math.max(bytes, 1));
    const index = this.#free.findIndex((block) => block.length >= length);
    let at: number;
    if (index >= 0) {
      const block = this.#free[index]!;
      at = block.at;
      block.at += length;
      block.length -= length;
      if (block.length === 0) this.#free.splice(index, 1);
    } else {
      at = this.#end;
      this.#grow(at + length);
      this.#end = at + length;
    }
    this.#used.set(at, length);
    return at;
  }

  /** Clears a block and gives it back. */
  release(at: number): void {
    const length = this.#used.get(at);
    if (length === undefined) throw new MikeySakkeError("usage", "BAD_ADDRESS", `no block at ${at}`);
    this.#used.delete(at);
    new Uint8Array(this.#memory.buffer, at, length).fill(0);
    this.#free.push({ at, length });
    this.#free.sort((a, b) => a.at - b.at);
    this.#merge();
  }

  #merge(): void {
    const merged: Block[] = [];
    for (const block of this.#free) {
      const last = merged.at(-1);
      if (last !== undefined && last.at + last.length === block.at) last.length += block.length;
      else merged.push(block);
    }
    const last = merged.at(-1);
    if (last !== undefined && last.at + last.length === this.#end) {
      this.#end = last.at;
      merged.pop();
    }
    this.#free = merged;
  }

  #grow(end: number): void {
    if (end > this.#limit) throw outOfMemory(end - this.#limit);
    const missing = end - this.#memory.buffer.byteLength;
    if (missing <= 0) return;
    try {
      this.#memory.grow(Math.ceil(missing / PAGE));
    } catch (cause) {
      throw outOfMemory(missing, cause);
    }
  }
}

function outOfMemory(missing: number, cause?: unknown): MikeySakkeError {
  return new MikeySakkeError("crypto", "OUT_OF_MEMORY", `no room for ${missing} more octets`, { cause });
}

function align(n: number): number {
  return Math.ceil(n / ALIGN) * ALIGN;
}
