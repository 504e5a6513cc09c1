/** An MCX server: distributes media without reading them, grants the floor, and delivers short data. */
export type { IssuerKeyStore, KnownKeys } from "../server/issuer-keys.ts";
export type { Reconfiguration } from "../server/reconfigure.ts";
export type { McxState, SessionState } from "./admin/metrics.ts";
export { type McxConfig, type McxConfigInput, parseMcxConfig } from "./common/config.ts";
export type { GroupDirectory, GroupMember } from "./common/directory.ts";
export { createMcxServer, type McxAddresses, type McxOptions, type McxServer } from "./create.ts";
export { floorDeadline, floorStep } from "./floor/arbiter.ts";
export type { RateLimit } from "./floor/message-rate.ts";
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
export { OwnSockets, type OwnSocketsOptions } from "./media/own-sockets.ts";
export { MediaRelay, type RelayCounters, type RelayOptions } from "./media/relay.ts";
export { type LegConnections, SessionPorts } from "./media/session-ports.ts";
export { CallLog } from "./session/call-log.ts";
export type { FloorMulticast } from "./session/floor-channel.ts";
export { GroupSession, type GroupSessionOptions, type SessionMember } from "./session/group-session.ts";
export { ServerSsrcs } from "./session/server-ssrcs.ts";
export type { OpenPort, SessionMakerOptions } from "./session/session-maker.ts";
export { GroupSessions, type SessionsOptions } from "./session/sessions.ts";
