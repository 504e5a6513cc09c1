/** Membership of groups, which the server checks before it admits anybody to a call. */
import type { GroupService } from "../../../documents/group-xml/index.ts";

/** The services that have calls. */
export type CallService = "mcptt" | "mcvideo";

/** The elements for the parts of a group call that are protected, unless the element is false (TS 24.481 7.2.8). */
export const CALL_PROTECTIONS = {
  mcptt: ["protect-media", "protect-floor-control-signalling"],
  mcvideo: ["mcvideo-protect-media", "mcvideo-protect-transmission-control"],
} as const satisfies Readonly<Record<CallService, readonly string[]>>;

export type CallProtection = (typeof CALL_PROTECTIONS)[CallService][number];

/** The rules of a group's calls, from the group document (TS 24.481 7.2). */
export interface GroupRules {
  /** Services that the group has; undefined where its document does not say. */
  readonly services?: readonly GroupService[];
  /** Elements of the document that are false, by which a call of the group would be in clear (TS 24.481 7.2.8). */
  readonly unprotected?: readonly CallProtection[];
  /** How many may be in a call. */
  readonly maxParticipants?: number;
  /** Seconds without anybody who talks after which a prearranged call ends (T4 of TS 24.380). */
  readonly hangTimer?: number;
}

export interface GroupMember {
  /** MC service user ID. */
  readonly uri: string;
  /** Highest priority of floor requests. */
  readonly priority: number;
  readonly receiveOnly?: boolean;
  /** The rules of the group; absent where the directory knows none. */
  readonly group?: GroupRules;
}

export interface GroupDirectory {
  /** Undefined: no such group, or not a member of it. */
  member(groupUri: string, userUri: string): Promise<GroupMember | undefined>;
  /** MC service user IDs of the members; none where there is no such group. */
  members(groupUri: string): Promise<readonly string[]>;
  /** Calls back when members of a group may have changed; returns what takes it away. */
  onChange(listener: (groupUri: string) => void): () => void;
}
