/** What an MCX server does with media: distributes them without reading, and says who may talk. */
export { floorDeadline, floorStep } from "./floor/arbiter.ts";
export {
  DEFAULT_FLOOR_CONFIG,
  EMPTY_FLOOR,
  type FloorConfig,
  type FloorContent,
  type FloorEvent,
  type FloorOutput,
  type FloorState,
  type FloorStep,
  type Participant,
  type Talk,
  type Waiting,
} from "./floor/state.ts";
export { type Leg, type LegCounters, type LegsOptions, MediaLegs } from "./media/legs.ts";
export { MediaRelay, type RelayCounters, type RelayOptions } from "./media/relay.ts";
export type { FloorMulticast } from "./session/floor-channel.ts";
export { GroupSession, type GroupSessionOptions, type SessionMember } from "./session/group-session.ts";
export { ServerSsrcs } from "./session/server-ssrcs.ts";
