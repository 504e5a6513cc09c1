/** Membership of groups, which the server checks before it admits anybody to a call. */

export interface GroupMember {
  /** MC service user ID. */
  readonly uri: string;
  /** Highest priority of floor requests. */
  readonly priority: number;
  readonly receiveOnly?: boolean;
}

export interface GroupDirectory {
  /** Undefined: no such group, or not a member of it. */
  member(groupUri: string, userUri: string): Promise<GroupMember | undefined>;
  /** Calls back when members of a group may have changed; returns what takes it away. */
  onChange(listener: (groupUri: string) => void): () => void;
}
