// The fixed part of a workspace. The first 4 kB belong to whatever leaf routine runs (columns of a product, words of
// an inversion); the rest are slots of one element vector each, named by the file that uses them.

import { workspace } from "./memory";

const SLOT_BYTES: usize = 640;

/** Address of temporary element vector `index`, 0 <= index < 90. Points use 0..15, pairings 16 and up. */
@inline export function slot(index: usize): usize {
  return workspace + 4096 + index * SLOT_BYTES;
}
