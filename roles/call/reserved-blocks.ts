/**
 * Blocks of packet indexes that this device has not sent under before, whatever became of the process that did: the number
 * of a block is on the disk before the first packet goes out under it. Processes that share the storage share the count.
 */

import { sha256 } from "@noble/hashes/sha2.js";
import { toHex, utf8 } from "../../base/bytes.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import { type RandomSource, systemRandom } from "../../base/random.ts";
import { SerialQueue } from "../../base/serial-queue.ts";
import {
  type BlockKind,
  type BlockOrigin,
  countedBlock,
  drawnBlocks,
  exhausted,
  type IndexBlock,
  type IndexBlocks,
  requireDevice,
} from "../../bindings/media/index.ts";
import type { SecretStorage } from "../identity/storage.ts";

export interface ReservedBlocksOptions {
  /** MC service user ID: users that share a storage count apart, as their keys of media differ. */
  readonly userUri: string;
  /** 0 to 63, a number that no other device of the user has. Where devices have none, an origin is drawn once and kept. */
  readonly device?: number;
  readonly random?: RandomSource;
}

const PREFIX = "media-blocks";
const DIGITS = 10;
const ORIGIN_BYTES = 4;
/** Records that stay: of the blocks before them none is looked for any more, unless by a process that sleeps meanwhile. */
const KEPT = 16;

export class ReservedBlocks implements IndexBlocks {
  readonly #storage: SecretStorage;
  readonly #folder: string;
  readonly #device: number | undefined;
  readonly #random: RandomSource;
  readonly #numbers = new WeakMap<IndexBlock, number>();
  readonly #queue = new SerialQueue();

  constructor(storage: SecretStorage, { userUri, device, random = systemRandom }: ReservedBlocksOptions) {
    if (device !== undefined) requireDevice(device);
    this.#storage = storage;
    this.#folder = `${PREFIX}/${toHex(sha256(utf8(userUri)).subarray(0, 16))}`;
    this.#device = device;
    this.#random = random;
  }

  /** A storage that fails silences nobody: the block is drawn then, from where none is counted. */
  take(kind: BlockKind, after?: IndexBlock): Promise<IndexBlock> {
    return this.#queue.run(() => this.#take(kind, after));
  }

  async #take(kind: BlockKind, after: IndexBlock | undefined): Promise<IndexBlock> {
    const before = after && this.#numbers.get(after);
    if (after !== undefined && before === undefined) throw exhausted();
    let reserved: { readonly number: number; readonly origin: BlockOrigin };
    try {
      reserved = await this.#reserve(kind);
    } catch (error) {
      if (after !== undefined) throw error;
      return drawnBlocks(this.#random, this.#device).take(kind);
    }
    const { number, origin } = reserved;
    const block = countedBlock(kind, origin, number);
    this.#numbers.set(block, number);
    if (after === undefined) return block;
    const goesOn = kind === "roc" ? block.first === after.end : block.first >= after.end;
    if (!goesOn) throw exhausted();
    return block;
  }

  /** A number that no other process has or had. */
  async #reserve(kind: BlockKind): Promise<{ number: number; origin: BlockOrigin }> {
    for (;;) {
      const last = (await this.#reserved(kind)).at(-1);
      const number = last === undefined ? 0 : last + 1;
      const origin = await this.#origin();
      if (!(await this.#storage.create(this.#name(kind, number), new Uint8Array(1)))) continue;
      // A number whose record was deleted meanwhile looks free, but `KEPT` later ones are there then.
      const there = await this.#reserved(kind);
      if (there.filter((other) => other > number).length >= KEPT / 2) continue;
      for (const old of there.slice(0, -KEPT)) await this.#storage.delete(this.#name(kind, old));
      return { number, origin };
    }
  }

  /** The first of several processes draws it. */
  async #origin(): Promise<BlockOrigin> {
    if (this.#device !== undefined) return { device: this.#device };
    const name = `${this.#folder}/origin`;
    await this.#storage.create(name, this.#random(ORIGIN_BYTES));
    const octets = await this.#storage.get(name);
    if (octets?.length !== ORIGIN_BYTES)
      throw new MikeySakkeError("codec", "STORAGE_FORMAT", `${name}: damaged`);
    return { drawn: new DataView(octets.buffer, octets.byteOffset).getUint32(0) };
  }

  async #reserved(kind: BlockKind): Promise<number[]> {
    const folder = `${this.#folder}/${kind}/`;
    return (await this.#storage.list(folder))
      .map((name) => Number(name.slice(folder.length)))
      .sort((a, b) => a - b);
  }

  #name(kind: BlockKind, number: number): string {
    return `${this.#folder}/${kind}/${String(number).padStart(DIGITS, "0")}`;
  }
}
