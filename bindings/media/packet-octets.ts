/**
 * Room for packets, cut from larger arrays. An array of its own has an ArrayBuffer outside the heap, whose making and collecting
 * take as long as half the cipher of a packet of voice.
 */
const SLAB_BYTES = 8192;
/** Octets of a packet that gets an array of its own: it would leave too much of a slab unused. */
const OWN_BYTES = SLAB_BYTES / 4;
/** Packets begin at multiples of this, as those of arrays of their own do. */
const ALIGNMENT = 8;

export class PacketOctets {
  #slab = new Uint8Array(0);
  #used = 0;

  /** Room of `length` octets, all zero, that no other packet has. Its ArrayBuffer holds other packets too. */
  take(length: number): Uint8Array {
    if (length >= OWN_BYTES) return new Uint8Array(length);
    // A slab whose buffer was transferred has no octets.
    if (this.#used + length > this.#slab.length) {
      this.#slab = new Uint8Array(SLAB_BYTES);
      this.#used = 0;
    }
    const from = this.#used;
    this.#used += Math.ceil(length / ALIGNMENT) * ALIGNMENT;
    return this.#slab.subarray(from, from + length);
  }
}
