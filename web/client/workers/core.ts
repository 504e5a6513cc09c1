/**
 * The core from a file beside the page. The build that `load` has inside it is base64, which takes half as much again when
 * it is compressed.
 */
import { attach, type Build, type Core } from "../../../bindings/core/core.ts";

/** The build with relaxed SIMD where the browser has it and its products are fused, else the other one. */
export async function loadCore(): Promise<Core> {
  const fma = await binaryOf("fma");
  if (WebAssembly.validate(fma)) {
    const core = await attach(await WebAssembly.compile(fma), {}).catch(() => undefined);
    if (core !== undefined) return core;
  }
  return attach(await WebAssembly.compile(await binaryOf("simd")), {});
}

async function binaryOf(build: Build): Promise<ArrayBuffer> {
  const response = await fetch(`${build}.wasm`);
  if (!response.ok) throw new Error(`${build}.wasm, the core of the page: ${response.status}`);
  return response.arrayBuffer();
}
