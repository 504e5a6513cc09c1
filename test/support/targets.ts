/** The core of every target of asconfig.json: the builds of the package, and both with assertions. */
import { compileAssembly, type Target } from "../../bench/compile.ts";
import { type Build, type Core, load } from "../../bindings/core/core.ts";

export const TARGETS: readonly Target[] = ["fma", "simd", "debug-fma", "debug-simd"];

/** The build that a target is with assertions. */
export const buildOf = (target: Target): Build => (target.endsWith("fma") ? "fma" : "simd");

/** With assertions, a bound that does not hold or a slot with two owners is a trap. */
export async function loadTarget(target: Target): Promise<Core> {
  const build = buildOf(target);
  const core = await load({ build });
  if (target === build) return core;
  // Relaxed SIMD is turned on now where a host has it behind a flag.
  core.destroy();
  const binary = await compileAssembly("assembly/index.ts", target);
  return load({ module: await WebAssembly.compile(binary as BufferSource) });
}
