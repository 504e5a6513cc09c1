/** A bounded memory of what was seen of late, by which a repetition is recognised. */

export interface RecentOptions {
  /** Entries. */
  readonly most: number;
  /** Milliseconds that each must be known for; without it the oldest makes room. */
  readonly keep?: number;
}

export class Recent {
  readonly #options: RecentOptions;
  /** With their times; the oldest first. */
  readonly #seen = new Map<string, number>();

  constructor(options: RecentOptions) {
    this.#options = options;
  }

  has(id: string): boolean {
    return this.#seen.has(id);
  }

  remove(id: string): void {
    this.#seen.delete(id);
  }

  /** Returns whether one more can be entered. `now` in milliseconds. */
  hasRoom(now: number): boolean {
    const { most, keep } = this.#options;
    for (const [id, at] of this.#seen) {
      const isOver = keep === undefined ? this.#seen.size >= most : at + keep <= now;
      if (!isOver) break;
      this.#seen.delete(id);
    }
    return this.#seen.size < most;
  }

  /** Enters it, unless there is no room for it: see `hasRoom`. */
  add(id: string, now: number): void {
    if (this.hasRoom(now)) this.#seen.set(id, now);
  }
}
