/** The floor as users of a call see it, and what the two kinds of floor control share. */
export type { FloorContent } from "../../call/control-codec.ts";

/**
 * idle: nobody talks. taken: somebody else does. pending: asked, no answer yet. queued: the answer was to wait. granted:
 * one may talk. releasing: given back, and the server has not said so yet.
 */
export type FloorStateName = "idle" | "taken" | "pending" | "queued" | "granted" | "releasing";

export interface FloorView {
  readonly state: FloorStateName;
  /** MCPTT ID of who else talks, as floor control names it; undefined: nobody, or not known. */
  readonly talker: string | undefined;
  /** Whether the talk is an emergency: one's own while granted, otherwise that of `talker`. */
  readonly isEmergency: boolean;
  /** In the queue, while queued. */
  readonly position: number | undefined;
  /** When the right to talk ends, while granted; milliseconds of the clock. */
  readonly until: number | undefined;
}

/** Why one does not talk or wait any more. */
export type FloorLoss =
  /** The cause is one of `DENY_CAUSES`. */
  | "denied"
  /** One of `REVOKE_CAUSES`. */
  | "revoked"
  /** Nobody answered. */
  | "timed-out";

export interface FloorChange {
  readonly floor: FloorView;
  readonly lost?: FloorLoss;
  readonly cause?: number | undefined;
}

/** Position of a participant who is not queued (TS 24.380 8.2.3.6). */
export const NOT_QUEUED = 255;

/** Numbers behind "undefined" that a message leaves out. */
export function optional<K extends string, T>(name: K, value: T | undefined): { [P in K]?: T } {
  return (value === undefined ? {} : { [name]: value }) as { [P in K]?: T };
}
