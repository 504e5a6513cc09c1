/**
 * Octets that come in parts and are gathered in one buffer, which doubles as they come. No part is kept: many small ones
 * take no more memory than a few large ones, and any number of them can be put together.
 */
import { wipe } from "./bytes.ts";

const NOTHING = new Uint8Array(0);
/** Octets of the first buffer. */
const FIRST = 512;

export class OctetBuffer {
  #buffer: Uint8Array = NOTHING;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The number of octets of memory that it takes: at most twice its length, and 512. */
  get capacity(): number {
    return this.#buffer.length;
  }

  /** The octets that have come, in the buffer itself. They are valid until more is added or the buffer is wiped. */
  get octets(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Copies the part behind those that have come. A buffer that has become too small for them is wiped. */
  add(part: Uint8Array): void {
    const length = this.#length + part.length;
    if (length > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#buffer.length, FIRST));
      larger.set(this.octets);
      wipe(this.#buffer);
      this.#buffer = larger;
    }
    this.#buffer.set(part, this.#length);
    this.#length = length;
  }

  /** Lets go of the buffer; octets that were taken from it stay as they are. */
  clear(): void {
    this.#buffer = NOTHING;
    this.#length = 0;
  }

  wipe(): void {
    wipe(this.#buffer);
    this.clear();
  }
}
