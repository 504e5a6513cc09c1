/** Limits on how much of a message is read. */
export interface SipLimits {
  /** Octets up to the body. */
  readonly head: number;
  /** Lines of header fields. */
  readonly lines: number;
  readonly body: number;
}

export const DEFAULT_LIMITS: SipLimits = { head: 32 * 1024, lines: 200, body: 4 * 1024 * 1024 };
