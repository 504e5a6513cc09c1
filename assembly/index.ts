// Everything the bindings call. Two builds of this file share the surface: with relaxed SIMD and without.

export { setWorkspace, wipe, FIXED_BYTES } from "./memory";
export * from "./sakke";
