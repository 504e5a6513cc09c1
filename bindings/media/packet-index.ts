/** Packet indexes (RFC 3711 3.3.1, 3.3.2): roll-over of sequence numbers, and which packets were seen. */

export const SEQUENCE_NUMBERS = 0x10000;
/** RFC 3711 9.2: packets that one master key may protect. */
export const MAX_SRTP_INDEX = 2 ** 48 - 1;
export const MAX_SRTCP_INDEX = 2 ** 31 - 1;

/** The index nearest to the highest one known that a sequence number can stand for; it may be negative. */
export function guessIndex(highest: number, sequenceNumber: number): number {
  const roc = Math.floor(highest / SEQUENCE_NUMBERS);
  const distance = sequenceNumber - (highest % SEQUENCE_NUMBERS);
  const wrap = distance > SEQUENCE_NUMBERS / 2 ? -1 : distance < -SEQUENCE_NUMBERS / 2 ? 1 : 0;
  return (roc + wrap) * SEQUENCE_NUMBERS + sequenceNumber;
}

/** RFC 3711 3.3.2 asks for 64 at least; late packets of a jittery net fit into more. */
const DEFAULT_WINDOW = 1024;

/** Indexes seen, of the last `size` below the highest. What lies before counts as seen. */
export class ReplayWindow {
  readonly #seen: Uint8Array;
  #highest: number;

  /** With `highest` it is the window of a stream that went: up to there all counts as seen. */
  constructor(size = DEFAULT_WINDOW, highest?: number) {
    this.#seen = new Uint8Array(size).fill(highest === undefined ? 0 : 1);
    this.#highest = highest ?? -1;
  }

  /** Indexes that it can tell apart. */
  get size(): number {
    return this.#seen.length;
  }

  /** -1 before the first. */
  get highest(): number {
    return this.#highest;
  }

  isNew(index: number): boolean {
    if (index > this.#highest) return true;
    if (index < 0 || index <= this.#highest - this.#seen.length) return false;
    return this.#seen[index % this.#seen.length] === 0;
  }

  /** Enters an index that `isNew`, after its packet was authenticated. */
  enter(index: number): void {
    const size = this.#seen.length;
    if (index > this.#highest) {
      const skipped = Math.min(index - this.#highest - 1, size);
      for (let i = 1; i <= skipped; i++) this.#seen[(index - i) % size] = 0;
      this.#highest = index;
    }
    this.#seen[index % size] = 1;
  }
}
