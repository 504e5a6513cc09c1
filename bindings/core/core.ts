/**
 * One instance of the WebAssembly core. Nothing happens at import: `load` compiles the embedded module, or
 * takes one the host compiled, and picks the build by trying it: the FMA build where the host has relaxed SIMD
 * and really fuses (a self-test decides), else the SIMD build with the same results.
 */
import { instantiate } from "@assemblyscript/loader";
import { fromHex } from "../../base/bytes.ts";
import { MikeySakkeError, requireOneOf, requireOptions } from "../../base/errors.ts";
import { builtinModule } from "../../base/platform.ts";
import { Arena } from "./arena.ts";
import { TableStore } from "./tables.ts";
import type { WasmExports } from "./wasm-exports.ts";

/** The two builds of the core: relaxed-SIMD FMA, two lanes; plain SIMD, four lanes. */
export type Build = "fma" | "simd";

export interface LoadOptions {
  /** The build; "auto" (default) takes "fma" where it works. */
  build?: Build | "auto";
  /**
   * A compiled module of the host's instead of the embedded one, for example that of another core; `shared` must be as
   * it was there.
   */
  module?: WebAssembly.Module;
  /**
   * Work on a memory that worker threads can read, for a pool. Without effect where the host has none: `core.shared`
   * says what came out of it. Default false.
   */
  shared?: boolean;
}

/** The part of a shared memory that an instance may write. */
export interface Region {
  readonly at: number;
  readonly bytes: number;
}

/** The memory in which an instance works. */
interface Place {
  readonly memory: WebAssembly.Memory;
  /** Without it, everything above the module's own data. */
  readonly region?: Region | undefined;
  /** Tables without users that are kept. */
  readonly keepTables?: number;
}

/** Pages of 64 KiB; must agree with asconfig.json. */
const INITIAL_PAGES = 16;
const MAXIMUM_PAGES = 16384;
/** Limits of a memory import in the binary: a shared one with a maximum. */
const SHARED_WITH_MAXIMUM = 3;

export class Core {
  readonly build: Build;
  readonly module: WebAssembly.Module;
  /** The exports of the module. For the bindings only. */
  readonly wasm: WasmExports;
  /** Memory management of the instance. For the bindings only. */
  readonly arena: Arena;
  /** Tables of public values that keys share. For the bindings only. */
  readonly tables: TableStore;
  /** For the bindings only. */
  readonly memory: WebAssembly.Memory;
  readonly #region: Region | undefined;
  readonly #workspace: number;
  readonly #made = new Map<string, unknown>();
  #destroyed = false;

  /** Use `load`. */
  constructor(module: WebAssembly.Module, wasm: WasmExports, place: Place) {
    const { memory, region, keepTables } = place;
    this.build = wasm.laneCount() === 2 ? "fma" : "simd";
    this.module = module;
    this.wasm = wasm;
    this.memory = memory;
    this.#region = region;
    this.arena = new Arena(memory, region?.at ?? wasm.heapBase(), region && region.at + region.bytes);
    this.tables = new TableStore(this.arena, keepTables);
    this.#workspace = this.arena.alloc(wasm.workspaceBytes());
    wasm.setWorkspace(this.#workspace);
  }

  /** Returns whether worker threads can read this core's memory. */
  get shared(): boolean {
    return isShared(this.memory);
  }

  /** The value made by `make` for this core, once: tables that all keys of an instance share. */
  once<T>(name: string, make: () => T): T {
    if (!this.#made.has(name)) this.#made.set(name, make());
    return this.#made.get(name) as T;
  }

  /** Octets of linear memory in use by tables, keys and the workspace. */
  get usedBytes(): number {
    return this.arena.usedBytes;
  }

  /** Octets of linear memory that only this core writes. */
  get ownBytes(): number {
    return this.#region?.bytes ?? this.memory.buffer.byteLength;
  }

  write(at: number, bytes: Uint8Array): void {
    new Uint8Array(this.memory.buffer, at, bytes.length).set(bytes);
  }

  /** A copy of `length` octets. */
  read(at: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, at, length).slice();
  }

  /** Runs `body` with blocks of the given sizes, which are cleared afterwards, whatever happens. */
  borrow<T>(sizes: readonly number[], body: (...blocks: number[]) => T): T {
    this.requireAlive();
    const blocks: number[] = [];
    try {
      for (const size of sizes) blocks.push(this.arena.alloc(size));
      return body(...blocks);
    } catch (error) {
      // A trap leaves the workspace as it was in the middle of the computation.
      new Uint8Array(this.memory.buffer, this.#workspace, this.wasm.workspaceBytes()).fill(0);
      throw error;
    } finally {
      for (const block of blocks) this.arena.release(block);
    }
  }

  /** Throws a usage error after `destroy`. */
  requireAlive(): void {
    if (this.#destroyed) throw new MikeySakkeError("usage", "DESTROYED", "the core was destroyed");
  }

  /** Clears all memory that is the instance's own. Objects made from this core must not be used any more. */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    new Uint8Array(this.memory.buffer, this.#region?.at, this.#region?.bytes).fill(0);
  }
}

/**
 * Compiles and starts the core.
 *
 * @throws MikeySakkeError crypto: `NO_WASM` where the host has no WebAssembly or a page's policy forbids it,
 * `NO_SIMD` where it has no SIMD, `NO_BUILD` where the build asked for cannot be used
 */
export async function load(options: LoadOptions = {}): Promise<Core> {
  requireOptions(options, "options");
  const { build = "auto", module, shared = false } = options;
  requireOneOf(build, "build", ["auto", "fma", "simd"]);
  if (typeof WebAssembly === "undefined") throw noWasm("this host has no WebAssembly");
  if (module !== undefined && !(module instanceof WebAssembly.Module)) {
    throw new MikeySakkeError("usage", "WRONG_TYPE", "module: expected a WebAssembly.Module");
  }
  const memory = newMemory(shared);
  if (module !== undefined)
    return required(await start(module, { memory }), "module", build === "auto" ? undefined : build);
  if (build !== "simd") {
    const core = await tryFma(memory);
    if (core !== undefined || build === "fma") return required(core, "fma");
  }
  const binary = binaryFor(memory, await import("../wasm/simd.ts"));
  if (!WebAssembly.validate(binary)) {
    throw new MikeySakkeError("crypto", "NO_SIMD", "this host has no WebAssembly SIMD, which the core needs");
  }
  // Not the memory of the attempt, which has the data of the other build.
  return required(await start(await compile(binary), { memory: newMemory(shared) }), "simd");
}

/** A further instance of the module of another core. For the workers of a pool. */
export async function attach(module: WebAssembly.Module, place: Partial<Place>): Promise<Core> {
  return required(await start(module, { memory: newMemory(false), ...place }), "module");
}

async function tryFma(memory: WebAssembly.Memory): Promise<Core | undefined> {
  const binary = binaryFor(memory, await import("../wasm/fma.ts"));
  if (!WebAssembly.validate(binary)) {
    enableRelaxedSimd();
    if (!WebAssembly.validate(binary)) return undefined;
  }
  return start(await compile(binary), { memory });
}

/** The two kinds of memory import differ in one octet. */
function binaryFor(memory: WebAssembly.Memory, built: { hex: string; memoryLimitsAt: number }): BufferSource {
  const binary = fromHex(built.hex);
  if (isShared(memory)) binary[built.memoryLimitsAt] = SHARED_WITH_MAXIMUM;
  return binary as BufferSource;
}

/** A page shares memory only if it is cross-origin isolated; a host may also not have the address space. */
function newMemory(shared: boolean): WebAssembly.Memory {
  const limits = { initial: INITIAL_PAGES, maximum: MAXIMUM_PAGES };
  if (shared && typeof SharedArrayBuffer !== "undefined" && globalThis.crossOriginIsolated !== false) {
    try {
      return new WebAssembly.Memory({ ...limits, shared: true });
    } catch {
      // One of its own then.
    }
  }
  return new WebAssembly.Memory(limits);
}

function isShared(memory: WebAssembly.Memory): boolean {
  return typeof SharedArrayBuffer !== "undefined" && memory.buffer instanceof SharedArrayBuffer;
}

/** The binary is valid, so what stops it is the host: the Content-Security-Policy of the page. */
async function compile(binary: BufferSource): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(binary);
  } catch (cause) {
    const text =
      "this host forbids WebAssembly: the Content-Security-Policy of a page needs script-src 'wasm-unsafe-eval'";
    throw noWasm(text, cause);
  }
}

function noWasm(message: string, cause?: unknown): MikeySakkeError {
  return new MikeySakkeError("crypto", "NO_WASM", message, { cause });
}

/** Node 20 has relaxed SIMD behind a flag of V8, which may be set before the first use. Others need nothing. */
function enableRelaxedSimd(): void {
  const v8 = builtinModule<{ setFlagsFromString(flag: string): void }>("node:v8");
  v8?.setFlagsFromString("--experimental-wasm-relaxed-simd");
}

/** Undefined when the module's products are not fused on this host. */
async function start(module: WebAssembly.Module, place: Place): Promise<Core | undefined> {
  const { exports } = await instantiate<WasmExports & Record<string, unknown>>(module, {
    env: { memory: place.memory },
  });
  const wasm = exports as unknown as WasmExports;
  return wasm.isFused() === 1 ? new Core(module, wasm, place) : undefined;
}

function required(core: Core | undefined, what: string, build?: Build): Core {
  if (core === undefined || (build !== undefined && core.build !== build)) {
    const reason =
      core === undefined ? "multiply-add is missing or rounds twice on this host" : `it is ${core.build}`;
    throw new MikeySakkeError("crypto", "NO_BUILD", `cannot use the ${build ?? what} build: ${reason}`);
  }
  return core;
}
