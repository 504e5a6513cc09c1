// Everything the bindings call. Two builds of this file share the surface: with relaxed SIMD and without.

export { heapBase, setWorkspace, workspaceBytes } from "./memory/workspace";
export { isFused, laneCount } from "./selftest";
export * from "./eccsi";
export * from "./sakke";
