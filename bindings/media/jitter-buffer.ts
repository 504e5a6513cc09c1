/**
 * Puts the frames of one stream in order, and holds them back a little so that those that were delayed still come in time.
 * It is asked for a frame at each step of the play-out.
 */

export interface JitterBufferOptions {
  /** Frames, and steps, that a burst is held back at its start. Default 3. */
  readonly target?: number;
  /** Frames held at most; older ones go first. Default 16. */
  readonly capacity?: number;
}

/** A frame; one that is not there although later ones are; or nothing, between bursts. */
export type Played<T> = { readonly frame: T } | "lost" | "nothing";

export class JitterBuffer<T> {
  readonly #target: number;
  readonly #capacity: number;
  readonly #frames = new Map<number, T>();
  /** Index of the next frame to play; undefined while a burst is held back or there is none. */
  #next: number | undefined;
  /** What comes after the last frame that was played: nothing before it is taken. */
  #floor = 0;
  #steps = 0;

  constructor({ target = 3, capacity = 16 }: JitterBufferOptions = {}) {
    this.#target = target;
    this.#capacity = Math.max(capacity, target);
  }

  /** Frames held. */
  get size(): number {
    return this.#frames.size;
  }

  /** False for a frame that comes too late or again. `index` counts on through the wrap of sequence numbers. */
  push(index: number, frame: T): boolean {
    if (index < (this.#next ?? this.#floor) || this.#frames.has(index)) return false;
    this.#frames.set(index, frame);
    const oldest = index - this.#capacity + 1;
    if (this.#next !== undefined && this.#next < oldest) this.#next = oldest;
    for (const held of this.#frames.keys()) if (held < oldest) this.#frames.delete(held);
    if (this.#frames.size > this.#capacity) this.#frames.delete(Math.min(...this.#frames.keys()));
    return this.#frames.has(index);
  }

  /** The next step. */
  pull(): Played<T> {
    if (this.#frames.size === 0) return this.#pullEmpty();
    if (this.#next === undefined) {
      this.#steps++;
      if (this.#frames.size < this.#target && this.#steps <= this.#target) return "nothing";
      this.#next = Math.min(...this.#frames.keys());
    }
    this.#steps = 0;
    const index = this.#next++;
    this.#floor = this.#next;
    const frame = this.#frames.get(index);
    if (frame === undefined) return "lost";
    this.#frames.delete(index);
    return { frame };
  }

  /** Frames may just be late; after a while the burst has ended, and the next one is held back again. */
  #pullEmpty(): Played<T> {
    if (this.#next !== undefined && ++this.#steps > this.#target) {
      this.#next = undefined;
      this.#steps = 0;
    }
    return "nothing";
  }
}
