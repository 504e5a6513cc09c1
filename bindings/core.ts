/**
 * One instance of the WebAssembly core. Nothing happens at import: `load` compiles the embedded module, or
 * takes one the host compiled, and picks the build by trying it: the FMA build where the host has relaxed SIMD
 * and really fuses (a self-test decides), else the SIMD build with the same results.
 */
import { instantiate } from "@assemblyscript/loader";
import { Arena } from "./arena.ts";
import { fromBase64 } from "./bytes.ts";
import { MikeySakkeError } from "./errors.ts";
import type { Surface } from "./surface.ts";

/** The two builds of the core: relaxed-SIMD FMA, two lanes; plain SIMD, four lanes. */
export type Build = "fma" | "simd";

export interface LoadOptions {
  /** Which build; "auto" (default) takes "fma" where it works. */
  build?: Build | "auto";
  /** A compiled module of the host's instead of the embedded one, for example one shared by several workers. */
  module?: WebAssembly.Module;
}

/** Pages of 64 KiB; must agree with asconfig.json. */
const INITIAL_PAGES = 16;
const MAXIMUM_PAGES = 16384;

export class Core {
  readonly build: Build;
  readonly module: WebAssembly.Module;
  /** The exports of the module. For the bindings only. */
  readonly wasm: Surface;
  /** Memory management of the instance. For the bindings only. */
  readonly arena: Arena;
  readonly #memory: WebAssembly.Memory;
  readonly #made = new Map<string, unknown>();
  #destroyed = false;

  /** Use `load`. */
  constructor(build: Build, module: WebAssembly.Module, memory: WebAssembly.Memory, wasm: Surface) {
    this.build = build;
    this.module = module;
    this.wasm = wasm;
    this.#memory = memory;
    this.arena = new Arena(memory, wasm.heapBase());
    wasm.setWorkspace(this.arena.alloc(wasm.workspaceBytes()));
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

  write(at: number, bytes: Uint8Array): void {
    new Uint8Array(this.#memory.buffer, at, bytes.length).set(bytes);
  }

  /** A copy of `length` octets. */
  read(at: number, length: number): Uint8Array {
    return new Uint8Array(this.#memory.buffer, at, length).slice();
  }

  /** Runs `body` with blocks of the given sizes, which are cleared afterwards, whatever happens. */
  borrow<T>(sizes: readonly number[], body: (...blocks: number[]) => T): T {
    this.requireAlive();
    const blocks: number[] = [];
    try {
      for (const size of sizes) blocks.push(this.arena.alloc(size));
      return body(...blocks);
    } finally {
      for (const block of blocks) this.arena.release(block);
    }
  }

  /** Throws a usage error after `destroy`. */
  requireAlive(): void {
    if (this.#destroyed) throw new MikeySakkeError("usage", "DESTROYED", "the core was destroyed");
  }

  /** Clears all of the instance's memory. Objects made from this core must not be used any more. */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    new Uint8Array(this.#memory.buffer).fill(0);
  }
}

/** Compiles and starts the core. Throws a crypto error where the host has no WebAssembly SIMD. */
export async function load(options: LoadOptions = {}): Promise<Core> {
  const { build = "auto", module } = options;
  if (module !== undefined)
    return required(await start(module), "module", build === "auto" ? undefined : build);
  if (build !== "simd") {
    const core = await tryFma();
    if (core !== undefined || build === "fma") return required(core, "fma");
  }
  const { base64 } = await import("./wasm/simd.ts");
  const binary = fromBase64(base64);
  if (!WebAssembly.validate(binary as BufferSource)) {
    throw new MikeySakkeError("crypto", "NO_SIMD", "this host has no WebAssembly SIMD, which the core needs");
  }
  return required(await start(await WebAssembly.compile(binary as BufferSource)), "simd");
}

async function tryFma(): Promise<Core | undefined> {
  const { base64 } = await import("./wasm/fma.ts");
  const binary = fromBase64(base64) as BufferSource;
  if (!WebAssembly.validate(binary)) {
    enableRelaxedSimd();
    if (!WebAssembly.validate(binary)) return undefined;
  }
  return start(await WebAssembly.compile(binary));
}

/** Node 20 has relaxed SIMD behind a flag of V8, which may be set before the first use. Others need nothing. */
function enableRelaxedSimd(): void {
  const host = (globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } }).process;
  const v8 = host?.getBuiltinModule?.("node:v8") as { setFlagsFromString(flag: string): void } | undefined;
  v8?.setFlagsFromString("--experimental-wasm-relaxed-simd");
}

/** Undefined when the module's products are not fused on this host. */
async function start(module: WebAssembly.Module): Promise<Core | undefined> {
  const memory = new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: MAXIMUM_PAGES });
  const { exports } = await instantiate<Surface & Record<string, unknown>>(module, { env: { memory } });
  const wasm = exports as unknown as Surface;
  if (wasm.isFused() !== 1) return undefined;
  return new Core(wasm.laneCount() === 2 ? "fma" : "simd", module, memory, wasm);
}

function required(core: Core | undefined, what: string, build?: Build): Core {
  if (core === undefined || (build !== undefined && core.build !== build)) {
    const reason =
      core === undefined ? "multiply-add is missing or rounds twice on this host" : `it is ${core.build}`;
    throw new MikeySakkeError("crypto", "NO_BUILD", `cannot use the ${build ?? what} build: ${reason}`);
  }
  return core;
}
