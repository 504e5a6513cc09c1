/** Floor control messages as they come in. */
import { MikeySakkeError } from "../../base/errors.ts";
import { decodeFloorMessage, type FloorMessage } from "../../bindings/floor-control/index.ts";

/** Undefined: it is none. */
export function readFloorMessage(packet: Uint8Array): FloorMessage | undefined {
  try {
    return decodeFloorMessage(packet);
  } catch (error) {
    if (error instanceof MikeySakkeError) return undefined;
    throw error;
  }
}
