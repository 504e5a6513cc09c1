import type { MediaFault } from "../../bindings/media/index.ts";

/** Counts of the packets that were not decrypted, by their faults, before any has come. */
export const NO_FAULTS: Readonly<Record<MediaFault, number>> = {
  malformed: 0,
  "unknown-key": 0,
  replayed: 0,
  "not-authentic": 0,
  "not-encrypted": 0,
};
