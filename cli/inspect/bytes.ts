/** Reads numbers out of octets of a capture; what lies outside is 0, and the caller has looked at the length. */

export class Octets {
  readonly octets: Uint8Array;
  readonly #view: DataView;
  readonly #little: boolean;

  constructor(octets: Uint8Array, little = false) {
    this.octets = octets;
    this.#view = new DataView(octets.buffer, octets.byteOffset, octets.length);
    this.#little = little;
  }

  get length(): number {
    return this.octets.length;
  }

  u8(at: number): number {
    return this.octets[at] ?? 0;
  }

  u16(at: number): number {
    return at + 2 <= this.length ? this.#view.getUint16(at, this.#little) : 0;
  }

  u32(at: number): number {
    return at + 4 <= this.length ? this.#view.getUint32(at, this.#little) : 0;
  }

  slice(from: number, to: number): Uint8Array {
    return this.octets.subarray(from, Math.max(from, to));
  }
}
