/** The state, events and effects of the arbiter of one group's floor (TS 24.380 6.3.4). */
import type { FloorContent } from "../../call/control-codec.ts";

export type { FloorContent } from "../../call/control-codec.ts";

/** Times are milliseconds; names of timers are those of TS 24.380 11.1.2. */
export interface FloorConfig {
  /** T2: how long one may talk. */
  readonly talkLimit: number;
  /** T3: how long the media of who must stop are still distributed. */
  readonly stopGrace: number;
  /** T8: when a Floor Revoke is sent again. */
  readonly revokeRepeat: number;
  /** T1: silence after which a talker who sends nothing loses the floor. */
  readonly endOfMedia: number;
  /** Requests that wait; 0: none. Those that pre-empt always may. */
  readonly maxQueue: number;
  /** Priority from which on a request takes the floor from one of lower priority. */
  readonly preemptFrom: number;
  /** How many members may talk at a time. */
  readonly speakers: number;
}

export const DEFAULT_FLOOR_CONFIG: FloorConfig = {
  talkLimit: 30_000,
  stopGrace: 3_000,
  revokeRepeat: 1_000,
  endOfMedia: 4_000,
  maxQueue: 16,
  preemptFrom: 200,
  speakers: 1,
};

export interface Participant {
  /** MC service user ID. */
  readonly id: string;
  /** The priority to which a higher one in a request is cut. */
  readonly maxPriority: number;
  readonly receiveOnly?: boolean;
  /** Whether requests of theirs wait while another talks (`mc_queueing`, TS 24.380 14). True when absent. */
  readonly queueing?: boolean;
}

export interface Talk {
  readonly user: string;
  readonly priority: number;
  readonly mediaSsrc: number | undefined;
  readonly isEmergency: boolean;
  readonly until: number;
  readonly lastMedia: number;
  /** Set once the talker was told to stop; they keep the floor until they release it or the time is over. */
  readonly revoked?: { readonly cause: number; readonly until: number; readonly repeatAt: number };
}

export interface Waiting {
  readonly user: string;
  readonly priority: number;
  readonly mediaSsrc: number | undefined;
  readonly isEmergency: boolean;
  /** Counts requests: the lower came first. */
  readonly arrival: number;
}

export interface FloorState {
  readonly participants: ReadonlyMap<string, Participant>;
  /** Members who have the floor, in the order in which it was granted. */
  readonly talks: readonly Talk[];
  /** By priority, then by arrival. */
  readonly queue: readonly Waiting[];
  readonly arrivals: number;
  /** Sequence number of the last Floor Taken or Floor Idle (8.2.3.10). */
  readonly sequenceNumber: number;
}

export type FloorEvent =
  | { readonly type: "join"; readonly participant: Participant }
  | { readonly type: "leave"; readonly user: string }
  | {
      readonly type: "request";
      readonly user: string;
      readonly priority: number;
      /** The Floor Indicator says so (8.2.3.15). */
      readonly isEmergency?: boolean;
      readonly mediaSsrc?: number | undefined;
    }
  | { readonly type: "release"; readonly user: string }
  | { readonly type: "position"; readonly user: string }
  /** Media of theirs came. */
  | { readonly type: "media"; readonly user: string }
  | { readonly type: "time" };

/** A message to one participant, or to all but perhaps one. */
export type FloorOutput =
  | { readonly to: string; readonly message: FloorContent }
  | { readonly toAllBut: string | undefined; readonly message: FloorContent };

export interface FloorStep {
  readonly state: FloorState;
  readonly messages: readonly FloorOutput[];
}

export const EMPTY_FLOOR: FloorState = {
  participants: new Map(),
  talks: [],
  queue: [],
  arrivals: 0,
  sequenceNumber: 0,
};
