/** The crypto sessions and what each protects (TS 33.180 table E.1.3-1). */
import { CS_IDS } from "../mikey/codes.ts";

export type MediaService = "mcptt" | "mcvideo";

/** The side of a private call: the one that placed it, or the one that accepted it. */
export type CallSide = "initiator" | "receiver";

export function groupCsId(service: MediaService): number {
  return service === "mcptt" ? CS_IDS.MCPTT_GROUP : CS_IDS.MCVIDEO_GROUP;
}

/** Each side sends under a CS-ID of its own (7.4.2). */
export function privateCsId(service: MediaService, side: CallSide): number {
  if (service === "mcptt") {
    return side === "initiator" ? CS_IDS.MCPTT_PRIVATE_INITIATOR : CS_IDS.MCPTT_PRIVATE_RECEIVER;
  }
  return side === "initiator" ? CS_IDS.MCVIDEO_PRIVATE_INITIATOR : CS_IDS.MCVIDEO_PRIVATE_RECEIVER;
}
