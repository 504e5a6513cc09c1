/** Pseudo-random choices that follow from a seed and a number alone, so that an input can be had again. */

export class Draw {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** The generator is sfc32, seeded by FNV-1a of the text. */
  constructor(seed: string) {
    let hash = 0x811c9dc5;
    const next = (text: string) => {
      for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
      return hash;
    };
    this.#a = next(seed);
    this.#b = next(seed);
    this.#c = next(seed);
    this.#d = 1;
    for (let i = 0; i < 12; i++) this.word();
  }

  /** 32 bits. */
  word(): number {
    const sum = (this.#a + this.#b + this.#d) | 0;
    this.#d = (this.#d + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }

  /** A whole number from 0 on, less than `end`. */
  below(end: number): number {
    return end <= 1 ? 0 : this.word() % end;
  }

  chance(one: number, of: number): boolean {
    return this.below(of) < one;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  octets(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.word() & 0xff);
  }

  hex(octets: number): string {
    return Buffer.from(this.octets(octets)).toString("hex");
  }
}
