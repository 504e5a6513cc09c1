/**
 * Calls of a client, by way of an MCX server and off-network among clients alone: of a group, and private ones (TS 24.380 6.2, 7.2).
 */
export type { ControlKeys } from "../../call/control-keys.ts";
export { ControlStreams, type IsNext } from "../../call/control-streams.ts";
export type { ListenerCounters, Talker, TalkerMismatch } from "../../call/listener.ts";
export { ReservedBlocks, type ReservedBlocksOptions } from "../../call/reserved-blocks.ts";
export { ringKeys } from "../../call/ring-keys.ts";
export type { CallEvent, MediaCounters } from "./call-events.ts";
export type { CallMediaOptions } from "./call-media.ts";
export type { ControlCounters } from "./control-channel.ts";
export type { FloorChange, FloorLoss, FloorStateName, FloorView } from "./floor.ts";
export { FloorCall } from "./floor-call.ts";
export { DEFAULT_PARTICIPANT, type ParticipantConfig } from "./floor-participant.ts";
export { GroupCall, type GroupCallCounters, type GroupCallOptions } from "./group-call.ts";
export { OffNetworkCall, type OffNetworkCallOptions, type OffNetworkCounters } from "./off-network-call.ts";
export { DEFAULT_OFF_NETWORK, type OffNetworkConfig } from "./off-network-floor.ts";
export {
  DEFAULT_PRIVATE_CALL,
  MONP_PORT,
  OffNetworkPrivateCalls,
  type OffNetworkPrivateCallsOptions,
  type PlacedPrivateCall,
  type PrivateCallEnd,
  type PrivateCallHandlers,
  type PrivateCallTimers,
  type TakenPrivateCall,
} from "./off-network-private-calls.ts";
export { PrivateCall, type PrivateCallCounters } from "./private-call.ts";
