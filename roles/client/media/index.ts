/** Group calls of a client: by way of an MCX server, and off-network among members alone (TS 24.380 6.2, 7.2). */
export type { ControlKeys } from "../mcx/control-keys.ts";
export type { CallEvent, MediaCounters } from "./call-events.ts";
export type { CallMediaOptions } from "./call-media.ts";
export type { ControlCounters } from "./control-channel.ts";
export type { FloorChange, FloorLoss, FloorStateName, FloorView } from "./floor.ts";
export { DEFAULT_PARTICIPANT, type ParticipantConfig } from "./floor-participant.ts";
export { GroupCall, type GroupCallCounters, type GroupCallOptions } from "./group-call.ts";
export type { ListenerCounters, Talker, TalkerMismatch } from "./listener.ts";
export { OffNetworkCall, type OffNetworkCallOptions, type OffNetworkCounters } from "./off-network-call.ts";
export { DEFAULT_OFF_NETWORK, type OffNetworkConfig } from "./off-network-floor.ts";
export { ringKeys } from "./ring-keys.ts";
