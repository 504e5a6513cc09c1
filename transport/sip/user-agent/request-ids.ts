/** The identifiers to which a body may be bound before its request is made. */
export interface RequestIds {
  readonly callId: string;
  /** The tag of From. */
  readonly fromTag: string;
}
