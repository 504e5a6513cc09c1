// Everything the bindings call. Two builds of this file share the surface: with relaxed SIMD and without.

export { FIXED_BYTES, setWorkspace } from "./memory";
export { isFused, laneCount } from "./selftest";
export * from "./eccsi";
export * from "./sakke";
