/** Single steps of the field kernels: the module of assembly/bench.ts at work. */
import type { Row } from "../cli/bench/row.ts";

/** Exports of assembly/bench.ts. */
interface Steps {
  heapBase(): number;
  workspaceBytes(): number;
  setWorkspace(address: number): void;
  laneCount(): number;
  begin(): void;
  multiply(n: number): void;
  square(n: number): void;
  multiplyTwice(n: number): void;
  rowBytes(width: number): number;
  scan(n: number, width: number, row: number, masks: number): void;
  invert(n: number): void;
  multiplyScalars(n: number): void;
  value(out: number): void;
}

/** Vector products a call. */
const PRODUCTS = 500;
const PAGES = 64;

export class Kernel {
  readonly steps: Steps;
  readonly lanes: number;
  readonly #memory: WebAssembly.Memory;
  readonly #free: number;

  private constructor(steps: Steps, memory: WebAssembly.Memory) {
    this.steps = steps;
    this.#memory = memory;
    this.lanes = steps.laneCount();
    const workspace = (steps.heapBase() + 63) & ~63;
    steps.setWorkspace(workspace);
    this.#free = workspace + steps.workspaceBytes();
    steps.begin();
  }

  /** After `load` of the package, which turns on relaxed SIMD where a host has it behind a flag. */
  static async load(binary: Uint8Array): Promise<Kernel> {
    const memory = new WebAssembly.Memory({ initial: PAGES, maximum: 16384 });
    const module = await WebAssembly.compile(binary as BufferSource);
    const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
    return new Kernel(exports as unknown as Steps, memory);
  }

  /** The running value. */
  get value(): bigint {
    this.steps.value(this.#free);
    const words = new Uint32Array(this.#memory.buffer, this.#free, 32);
    return words.reduceRight((sum, word) => (sum << 32n) + BigInt(word), 0n);
  }

  row(): Row {
    const { steps, lanes } = this;
    return { name: "field.multiply", operations: PRODUCTS * lanes, run: () => steps.multiply(PRODUCTS) };
  }

  /** The steps that operations are made of, each once a call and vector: for docs/performance.md. */
  parts(width: number): Record<string, () => void> {
    const { steps } = this;
    const [row, masks] = [this.#free, this.#free + steps.rowBytes(width)];
    return {
      multiply: () => steps.multiply(PRODUCTS),
      square: () => steps.square(PRODUCTS),
      multiplyTwice: () => steps.multiplyTwice(PRODUCTS),
      scan: () => steps.scan(PRODUCTS, width, row, masks),
      invert: () => steps.invert(PRODUCTS),
      multiplyScalars: () => steps.multiplyScalars(PRODUCTS),
    };
  }
}
