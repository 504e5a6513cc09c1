/** Field kernels of assembly/, compiled alone, with access to the raw limbs of their element vectors. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import v8 from "node:v8";
import asc from "assemblyscript/asc";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

export interface KernelKind {
  /** Module under assembly/. */
  readonly file: string;
  readonly p: bigint;
  readonly limbs: number;
  /** Bits of a limb: 52 in doubles with two lanes, 28 in 32-bit integers with four. */
  readonly width: 52 | 28;
  /** 32-bit words of a canonical value. */
  readonly words: number;
}

/** What a kernel module exports; addresses and counts are numbers, constants are globals. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  setWorkspace(address: number): void;
  isFused(): number;
  readonly LANES: WebAssembly.Global;
  readonly LIMBS: WebAssembly.Global;
  readonly BYTES: WebAssembly.Global;
  readonly ENTRY_BYTES: WebAssembly.Global;
  readonly MASK_BYTES: WebAssembly.Global;
  readonly ONE: WebAssembly.Global;
  readonly R_SQUARED: WebAssembly.Global;
  mul(out: number, a: number, b: number): void;
  sqr(out: number, a: number): void;
  mulAddMul(out: number, a: number, b: number, c: number, d: number): void;
  add(out: number, a: number, b: number): void;
  sub(out: number, a: number, b: number, level: number): void;
  swapPairs(out: number, a: number): void;
  select(out: number, a: number, b: number, mask: number): void;
  broadcast(out: number, a: number, from: number): void;
  setWords(out: number, lane: number, words: number): void;
  getWords(words: number, a: number, lane: number): void;
  storeEntry(entry: number, a: number, lane: number): void;
  loadEntryUnsafe(out: number, lane: number, entry: number): void;
  /** Kernels on fused multiply-add have these two. */
  triple?(out: number, a: number): void;
  shiftLeft?(out: number, a: number, shift: number): void;
  selectionMasks(masks: number, indices: number, entries: number): void;
  scanRow(out: number, row: number, entries: number, elements: number, masks: number): void;
}

/** Scratch memory starts above the tables of every kernel. */
const SCRATCH = 1 << 17;

async function compile(files: readonly string[], features: string): Promise<Uint8Array> {
  let binary: Uint8Array | undefined;
  const { error, stderr } = await asc.main(
    [
      ...files,
      "--outFile",
      "kernel.wasm",
      "--runtime",
      "stub",
      "-O3",
      "--noAssert",
      "--use",
      "abort=",
      "--initialMemory",
      "8",
      "--enable",
      features,
    ],
    {
      readFile: (name, base) => {
        // The project's configuration would compile everything.
        if (name === "asconfig.json") return null;
        const path = resolve(ROOT, base, name);
        return existsSync(path) ? readFileSync(path, "utf8") : null;
      },
      writeFile: (name, contents) => {
        if (name === "kernel.wasm") binary = contents as Uint8Array;
      },
      listFiles: (directory, base) =>
        readdirSync(resolve(ROOT, base, directory)).filter((f) => f.endsWith(".ts")),
    },
  );
  if (error !== null || binary === undefined)
    throw new Error(`${files.join(" ")}: ${error?.message}\n${stderr}`);
  return binary;
}

/** One instance of a kernel. Vectors live at slots; a slot holds any element vector or table used here. */
export class Kernel {
  readonly kind: KernelKind;
  readonly wasm: Exports;
  readonly lanes: number;
  readonly bytes: number;
  readonly R: bigint;

  private constructor(kind: KernelKind, wasm: Exports) {
    this.kind = kind;
    this.wasm = wasm;
    this.lanes = wasm.LANES.value;
    this.bytes = wasm.BYTES.value;
    this.R = 1n << BigInt(kind.width * kind.limbs);
    wasm.setWorkspace(SCRATCH);
  }

  static async load(kind: KernelKind): Promise<Kernel> {
    const relaxed = kind.width === 52;
    // Node 20 has relaxed SIMD behind this flag, later versions do not know it any more.
    if (relaxed && process.versions.node.startsWith("20."))
      v8.setFlagsFromString("--experimental-wasm-relaxed-simd");
    const files = [kind.file, "memory.ts", "selftest.ts"].map((name) => join("assembly", name));
    const binary = await compile(files, relaxed ? "simd,relaxed-simd" : "simd");
    const module = await WebAssembly.compile(binary as BufferSource);
    const { exports } = await WebAssembly.instantiate(module, {});
    return new Kernel(kind, exports as unknown as Exports);
  }

  /** Address of scratch area `index`, 16-octet aligned; areas hold 4 kB. */
  slot(index: number): number {
    return SCRATCH + 8192 + 4096 * index;
  }

  /** Writes one value a lane as limbs, not reduced. Values of the last limb may exceed its width. */
  put(address: number, values: readonly bigint[]): number {
    const { width, limbs } = this.kind;
    const view = new DataView(this.wasm.memory.buffer);
    values.forEach((value, lane) => {
      for (let i = 0; i < limbs; i++) {
        const limb = Number(BigInt.asUintN(width, value >> BigInt(width * i)));
        if (width === 52) view.setFloat64(address + 16 * i + 8 * lane, limb, true);
        else view.setUint32(address + 16 * i + 4 * lane, limb, true);
      }
    });
    return address;
  }

  /** Reads the lanes; throws if a limb is not an integer in range. */
  get(address: number): bigint[] {
    const { width, limbs } = this.kind;
    const view = new DataView(this.wasm.memory.buffer);
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
    const view = new DataView(this.wasm.memory.buffer);
    for (let i = 0; i < this.kind.words; i++)
      view.setUint32(address + 4 * i, Number(BigInt.asUintN(32, value >> BigInt(32 * i))), true);
    return address;
  }

  getWords(address: number): bigint {
    const view = new DataView(this.wasm.memory.buffer);
    let value = 0n;
    for (let i = this.kind.words - 1; i >= 0; i--)
      value = (value << 32n) + BigInt(view.getUint32(address + 4 * i, true));
    return value;
  }

  /** A lane mask: all ones where `chosen` is true. */
  putMask(address: number, chosen: readonly boolean[]): number {
    const octets = 16 / this.lanes;
    const view = new Uint8Array(this.wasm.memory.buffer);
    chosen.forEach((on, lane) => {
      view.fill(on ? 255 : 0, address + octets * lane, address + octets * (lane + 1));
    });
    return address;
  }

  putIndices(address: number, indices: readonly number[]): number {
    new Uint32Array(this.wasm.memory.buffer, address, 4).set([...indices, 0, 0, 0, 0].slice(0, 4));
    return address;
  }
}
