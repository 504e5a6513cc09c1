/** The fields of assembly/, each on the kernel of a build, with access to the raw limbs of their element vectors. */
import { compileAssembly, type Target } from "../../../bench/compile.ts";
import { type Build, load } from "../../../bindings/index.ts";

export interface KernelKind {
  /** Module under assembly/ that computes. */
  readonly file: string;
  readonly build: Build;
  /** Tag class of the field in assembly/tags.ts. */
  readonly field: "Fp" | "P256";
  readonly p: bigint;
  readonly limbs: number;
  /** Bits of a limb: 52 in doubles with two lanes, 28 in 32-bit integers with four. */
  readonly width: 52 | 28;
  /** 32-bit words of a canonical value. */
  readonly words: number;
}

/** The exports of assembly/__tests__/surface.ts; addresses and counts are numbers. */
interface Exports {
  setWorkspace(address: number): void;
  isFused(): number;
  laneCount(): number;
  bytes(): number;
  entryBytes(): number;
  one(): number;
  rSquared(): number;
  mul(out: number, a: number, b: number): void;
  sqr(out: number, a: number): void;
  mulAddMul(out: number, a: number, b: number, c: number, d: number): void;
  add(out: number, a: number, b: number): void;
  sub(out: number, a: number, b: number, level: number): void;
  mulPair(out: number, a: number, b: number): void;
  sqrPair(out: number, a: number): void;
  mulAddMulPair(out: number, a: number, b: number, c: number, d: number): void;
  weave(out: number, even: number, odd: number, from: number): void;
  fuses(): number;
  mulMinus(out: number, a: number, b: number, c: number, level: number): void;
  sqrMinusBoth(out: number, s: number, a: number, b: number, level: number, difference: number): void;
  swapPairs(out: number, a: number): void;
  select(out: number, a: number, b: number, mask: number): void;
  broadcast(out: number, a: number, from: number): void;
  setWords(out: number, lane: number, words: number): void;
  getWords(words: number, a: number, lane: number): void;
  storeEntry(entry: number, a: number, lane: number): void;
  loadEntryUnsafe(out: number, lane: number, entry: number): void;
  /** These two are of F_p only. */
  triple(out: number, a: number): void;
  shiftLeft(out: number, a: number, shift: number): void;
  /** These three are of P-256 only. */
  tripleSum(out: number, a: number, b: number): void;
  minusTwice(out: number, a: number, b: number): void;
  twiceDifference(out: number, a: number, b: number): void;
  selectionMasks(masks: number, indices: number, entries: number): void;
  scanRow(out: number, row: number, entries: number, elements: number, masks: number): void;
}

/** Scratch memory starts above the tables of both kernels. */
const SCRATCH = 1 << 17;

const ENTRY = "assembly/__tests__/surface.ts";

/** One instance of a kernel. Vectors live at slots; a slot holds any element vector or table used here. */
export class Kernel {
  readonly kind: KernelKind;
  readonly wasm: Exports;
  readonly #memory: WebAssembly.Memory;
  readonly lanes: number;
  readonly bytes: number;
  readonly R: bigint;

  private constructor(kind: KernelKind, wasm: Exports, memory: WebAssembly.Memory) {
    this.kind = kind;
    this.wasm = wasm;
    this.#memory = memory;
    this.lanes = wasm.laneCount();
    this.bytes = wasm.bytes();
    this.R = 1n << BigInt(kind.width * kind.limbs);
    wasm.setWorkspace(SCRATCH);
  }

  static async load(kind: KernelKind, target: Target = kind.build): Promise<Kernel> {
    // This turns on relaxed SIMD where a host has it behind a flag.
    (await load({ build: kind.build })).destroy();
    const binary = await compileAssembly(ENTRY, target, (path, text) =>
      path === ENTRY ? text?.replace("{ Fp as F }", `{ ${kind.field} as F }`) : undefined,
    );
    const memory = new WebAssembly.Memory({ initial: 16, maximum: 16384 });
    const module = await WebAssembly.compile(binary as BufferSource);
    const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
    return new Kernel(kind, exports as unknown as Exports, memory);
  }

  /** Address of scratch area `index`, 16-octet aligned; areas hold 4 kB. */
  slot(index: number): number {
    return SCRATCH + 8192 + 4096 * index;
  }

  /** Writes one value a lane as limbs, not reduced. Values of the last limb may exceed its width. */
  put(address: number, values: readonly bigint[]): number {
    const { width, limbs } = this.kind;
    const view = new DataView(this.#memory.buffer);
    values.forEach((value, lane) => {
      for (let i = 0; i < limbs; i++) {
        const limb = Number(BigInt.asUintN(width, value >> BigInt(width * i)));
        if (width === 52) view.setFloat64(address + 16 * i + 8 * lane, limb, true);
        else view.setUint32(address + 16 * i + 4 * lane, limb, true);
      }
    });
    return address;
  }

  /** Writes limb `i` of one lane, whatever it is. */
  putLimb(address: number, i: number, lane: number, limb: number): void {
    const view = new DataView(this.#memory.buffer);
    if (this.kind.width === 52) view.setFloat64(address + 16 * i + 8 * lane, limb, true);
    else view.setUint32(address + 16 * i + 4 * lane, limb, true);
  }

  /** Reads the lanes; throws if a limb is not an integer in range. */
  get(address: number): bigint[] {
    const { width, limbs } = this.kind;
    const view = new DataView(this.#memory.buffer);
    return Array.from({ length: this.lanes }, (_, lane) => {
      let value = 0n;
      for (let i = limbs - 1; i >= 0; i--) {
        const limb =
          width === 52
            ? view.getFloat64(address + 16 * i + 8 * lane, true)
            : view.getUint32(address + 16 * i + 4 * lane, true);
        if (!Number.isInteger(limb) || limb < 0 || limb >= 2 ** width || Object.is(limb, -0))
          throw new Error(`limb ${i} of lane ${lane} is ${limb}`);
        value = (value << BigInt(width)) + BigInt(limb);
      }
      return value;
    });
  }

  putWords(address: number, value: bigint): number {
    const view = new DataView(this.#memory.buffer);
    for (let i = 0; i < this.kind.words; i++)
      view.setUint32(address + 4 * i, Number(BigInt.asUintN(32, value >> BigInt(32 * i))), true);
    return address;
  }

  getWords(address: number): bigint {
    const view = new DataView(this.#memory.buffer);
    let value = 0n;
    for (let i = this.kind.words - 1; i >= 0; i--)
      value = (value << 32n) + BigInt(view.getUint32(address + 4 * i, true));
    return value;
  }

  /** A lane mask: all ones where `chosen` is true. */
  putMask(address: number, chosen: readonly boolean[]): number {
    const octets = 16 / this.lanes;
    const view = new Uint8Array(this.#memory.buffer);
    chosen.forEach((on, lane) => {
      view.fill(on ? 255 : 0, address + octets * lane, address + octets * (lane + 1));
    });
    return address;
  }

  putIndices(address: number, indices: readonly number[]): number {
    new Uint32Array(this.#memory.buffer, address, 4).set([...indices, 0, 0, 0, 0].slice(0, 4));
    return address;
  }
}
