/** Packets of one stream in the order of their sequence numbers, where the network changed it a little. */
import { guessIndex, SEQUENCE_NUMBERS } from "./packet-index.ts";

/** Packets that wait for one that is missing, which is given up then. */
const DEPTH = 128;

export class PacketOrder<T> {
  readonly #depth: number;
  /** By index, which goes on where sequence numbers begin anew. */
  readonly #waiting = new Map<number, T>();
  #next: number | undefined;

  constructor(depth = DEPTH) {
    this.#depth = depth;
  }

  /** The packets that are due with this one. One that comes after its turn is dropped. */
  push(sequenceNumber: number, packet: T): T[] {
    const index =
      this.#next === undefined ? SEQUENCE_NUMBERS + sequenceNumber : guessIndex(this.#next, sequenceNumber);
    this.#next ??= index;
    if (index < this.#next) return [];
    this.#waiting.set(index, packet);
    if (this.#waiting.size > this.#depth) this.#next = Math.min(...this.#waiting.keys());
    return this.#due();
  }

  /** The packets that still wait, in their order: no other comes before them. */
  flush(): T[] {
    const rest = [...this.#waiting].sort(([a], [b]) => a - b).map(([, packet]) => packet);
    this.#waiting.clear();
    return rest;
  }

  #due(): T[] {
    const due: T[] = [];
    for (let at = this.#next!; this.#waiting.has(at); at++) {
      due.push(this.#waiting.get(at)!);
      this.#waiting.delete(at);
      this.#next = at + 1;
    }
    return due;
  }
}
