/**
 * The packet indexes that a stream sends under. A nonce is SSRC and index (RFC 7714 8.1, 9.1), and the SSRC alone is a
 * draw of 32 bits: each stream of a user has a block of indexes of its own too, so that nonces do not come twice when
 * SSRCs do. docs/nonces.md has the arithmetic.
 *
 * A block lies in one of two halves. Those that a device counts in its storage are in the lower one; those that are drawn,
 * for want of a storage, are in the upper one. Within each half the devices of a user are kept apart by their numbers, or
 * where they have none by a drawn origin.
 */
import { MikeySakkeError } from "../../base/errors.ts";
import type { MaybePromise } from "../../base/maybe-promise.ts";
import type { RandomSource } from "../../base/random.ts";

/** ROC of SRTP, whose sequence number is the lower part of the index; index of SRTCP. */
export type BlockKind = "roc" | "srtcp";

/** From `first` to before `end`. */
export interface IndexBlock {
  readonly first: number;
  readonly end: number;
}

export interface IndexBlocks {
  /**
   * One that no other stream of the user has. With `after`, one for the stream whose block that was: of ROCs the next one,
   * as they may not jump within a stream (RFC 3711 3.3.1); of SRTCP a later one.
   *
   * @throws MikeySakkeError usage `INDEXES_EXHAUSTED`: a stream that has run out of indexes; another one can be begun
   */
  take(kind: BlockKind, after?: IndexBlock): MaybePromise<IndexBlock>;
}

interface Space {
  /** The number of bits of one half of the index space. */
  readonly bits: number;
  /** Values of a block. */
  readonly size: number;
  /** The indexes that are left behind the start of a drawn block. */
  readonly room: number;
}

const SPACES: { readonly [kind in BlockKind]: Space } = {
  // 64 times 65,536 packets: 23 hours of speech.
  roc: { bits: 31, size: 64, room: 2 ** 16 },
  srtcp: { bits: 30, size: 256, room: 2 ** 20 },
};

/** The number of bits of a device number. */
const DEVICE_BITS = 6;
export const MAX_DEVICE = 2 ** DEVICE_BITS - 1;

/** The origin from which a device counts its blocks: a part of its own, or a drawn place (32 bits) in the whole. */
export type BlockOrigin = { readonly device: number } | { readonly drawn: number };

/**
 * The block with that number, of a device that counts them. They begin again after 2^19 of ROCs and 2^16 of SRTCP where the
 * device has a number, and after 64 times as many where it has none.
 */
export function countedBlock(kind: BlockKind, origin: BlockOrigin, number: number): IndexBlock {
  const { bits, size } = SPACES[kind];
  const all = 2 ** bits / size;
  const ofDevice = all / 2 ** DEVICE_BITS;
  const place =
    "device" in origin
      ? requireDevice(origin.device) * ofDevice + (number % ofDevice)
      : (origin.drawn + number) % all;
  return { first: place * size, end: (place + 1) * size };
}

/** Blocks that are drawn: without a device's number from the whole of the upper half. */
export function drawnBlocks(random: RandomSource, device?: number): IndexBlocks {
  if (device !== undefined) requireDevice(device);
  return {
    take(kind, after) {
      if (after !== undefined) throw exhausted();
      const { bits, room } = SPACES[kind];
      const octets = random(4);
      const drawn = new DataView(octets.buffer, octets.byteOffset).getUint32(0);
      const from = 2 ** bits + (device ?? 0) * 2 ** (bits - DEVICE_BITS);
      const values = 2 ** (device === undefined ? bits : bits - DEVICE_BITS) - room;
      const first = from + (drawn % values);
      return { first, end: first + room };
    },
  };
}

/** The block that one stream sends under at the time. */
export class StreamIndexes {
  readonly #blocks: IndexBlocks;
  readonly #kind: BlockKind;
  #block: IndexBlock | undefined;
  #taking: Promise<IndexBlock> | undefined;

  constructor(blocks: IndexBlocks, kind: BlockKind) {
    this.#blocks = blocks;
    this.#kind = kind;
  }

  /** Undefined before the first `more`. */
  get block(): IndexBlock | undefined {
    return this.#block;
  }

  /** The next one; of several who ask while it is on its way each gets the same. */
  more(): MaybePromise<IndexBlock> {
    if (this.#taking !== undefined) return this.#taking;
    const taken = this.#blocks.take(this.#kind, this.#block);
    if (!(taken instanceof Promise)) {
      this.#block = taken;
      return taken;
    }
    this.#taking = taken
      .then((block) => {
        this.#block = block;
        return block;
      })
      .finally(() => {
        this.#taking = undefined;
      });
    return this.#taking;
  }
}

/** @throws MikeySakkeError usage `BAD_DEVICE` */
export function requireDevice(device: number): number {
  if (Number.isInteger(device) && device >= 0 && device <= MAX_DEVICE) return device;
  throw new MikeySakkeError("usage", "BAD_DEVICE", `device ${device}: must be 0 to ${MAX_DEVICE}`);
}

export function exhausted(): MikeySakkeError {
  const text =
    "this stream has sent under all indexes that it may have: begin another, as by placing the call anew";
  return new MikeySakkeError("usage", "INDEXES_EXHAUSTED", text);
}
