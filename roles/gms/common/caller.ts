/** The callers of the operations of a GMS: what they may do, and their names in the audit log. */

/** An operator of the GMS, who may do everything. */
export interface OperatorCaller {
  readonly kind: "operator";
  /** The name in the audit log. */
  readonly actor: string;
}

/**
 * A user, who may do what concerns only groups that one of their identities manages. The GMS looks at the groups'
 * managers within the transaction of the operation.
 */
export interface ManagerCaller {
  readonly kind: "manager";
  /** The name in the audit log: one of the identities. */
  readonly actor: string;
  /** MC service user IDs of the user. */
  readonly identities: readonly string[];
}

export type Caller = OperatorCaller | ManagerCaller;

export function operator(actor: string): OperatorCaller {
  return { kind: "operator", actor };
}

export function manager(actor: string, identities: readonly string[]): ManagerCaller {
  return { kind: "manager", actor, identities };
}
