// Memory of one instance. Tables may be shared between instances on a shared memory; everything an instance writes
// while it computes lies in its own workspace, whose address is a global of the instance and so is never shared.

/** Octets of the fixed part of a workspace: column accumulators of the field kernels and small temporaries. */
export const FIXED_BYTES: usize = 64 * 1024;

/** Address of this instance's workspace, 16-octet aligned. */
export let workspace: usize = 0;

export function setWorkspace(address: usize): void {
  workspace = address;
}

/** Clears memory that held secrets. Not inlined and exported through callers, so it is never optimised away. */
export function wipe(address: usize, bytes: usize): void {
  memory.fill(address, 0, bytes);
}

/** The first address that the host may use. */
export function heapBase(): usize {
  return __heap_base;
}

/** Octets of a workspace. */
export function workspaceBytes(): usize {
  return FIXED_BYTES;
}
