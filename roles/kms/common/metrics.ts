/** The counters of a KMS. `metrics-prom.ts` counts for Prometheus. */
export interface KmsMetrics {
  /** An answer went out. `type` is a request type or "other", `code` "ok" or that of the refusal. */
  answered(type: string, code: string, milliseconds: number): void;
  /** Key sets were given out. */
  issued(keySets: number): void;
  /** Requests being worked on now. */
  inFlight(requests: number): void;
  /** Seconds that the clock of this host is ahead of the database's. */
  clock(secondsAhead: number): void;
}

export const noMetrics: KmsMetrics = { answered() {}, issued() {}, inFlight() {}, clock() {} };
