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
  addAndSubtract(n: number): void;
  multiply256(n: number): void;
  square256(n: number): void;
  addAndSubtract256(n: number): void;
  rowBytes(width: number): number;
  scan(n: number, width: number, row: number, masks: number): void;
  invert(n: number): void;
  invert256(n: number): void;
  multiplyScalars(n: number): void;
  multiplyScalars256(n: number): void;
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

  /** Calls of `count` steps of each kind, for docs/performance.md. `width` is that of the window of a row to scan. */
  parts(count: number, width: number): Record<Part, () => void> {
    const { steps } = this;
    const [row, masks] = [this.#free, this.#free + steps.rowBytes(width)];
    return {
      multiply: () => steps.multiply(count),
      square: () => steps.square(count),
      multiplyTwice: () => steps.multiplyTwice(count),
      addAndSubtract: () => steps.addAndSubtract(count),
      scan: () => steps.scan(count, width, row, masks),
      invert: () => steps.invert(count),
      multiplyScalars: () => steps.multiplyScalars(count),
      multiply256: () => steps.multiply256(count),
      square256: () => steps.square256(count),
      addAndSubtract256: () => steps.addAndSubtract256(count),
      invert256: () => steps.invert256(count),
      multiplyScalars256: () => steps.multiplyScalars256(count),
    };
  }
}

/** Steps that operations are made of. */
export type Part = Exclude<
  keyof Steps,
  "heapBase" | "workspaceBytes" | "setWorkspace" | "laneCount" | "begin" | "rowBytes" | "value"
>;
