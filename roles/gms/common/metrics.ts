/** The counters of a GMS. `metrics-prom.ts` counts for Prometheus. */
import type { DeliveryState, RekeyKind } from "../../../store/gms/records.ts";

/** The counts of what is in the store, of all processes on it. */
export interface StoreCounts {
  readonly groups: number;
  readonly members: number;
  readonly runningRekeys: number;
  /** Messages that are not sealed, or not delivered. */
  readonly backlog: number;
  /** Milliseconds since the oldest rekey of these was made; 0 where there is none. */
  readonly oldestAge: number;
}

export interface GmsMetrics {
  /** An HTTP answer went out. `type` is what was asked for, as "group", "gktp", "report"; `code` "ok" or the refusal. */
  answered(type: string, code: string, milliseconds: number): void;
  /** HTTP requests being worked on now. */
  inFlight(requests: number): void;
  /** A SUBSCRIBE was answered: "ok" or the code of the refusal. */
  subscribed(code: string): void;
  /** SIP subscriptions that there are now. */
  subscriptions(count: number): void;
  /** A NOTIFY ended: status of the answer, or "timeout". */
  notified(result: string, milliseconds: number): void;
  notifiesInFlight(count: number): void;
  /** A rekey was written into the store. */
  rekeyed(kind: RekeyKind, members: number): void;
  /** A chunk was sealed and stored. */
  sealed(messages: number, milliseconds: number): void;
  /** A chunk failed, with the code of the error, or its claim was lost ("CLAIM_LOST"). */
  sealFailed(code: string): void;
  /** Members came into this state. */
  delivered(state: DeliveryState, members: number): void;
  store(counts: StoreCounts): void;
  /** Seconds that the clock of this host, and T of the last message, are ahead of the database's clock. */
  clocks(seconds: { readonly hostAhead: number; readonly messagesAhead: number }): void;
}

export const noMetrics: GmsMetrics = {
  answered() {},
  inFlight() {},
  subscribed() {},
  subscriptions() {},
  notified() {},
  notifiesInFlight() {},
  rekeyed() {},
  sealed() {},
  sealFailed() {},
  delivered() {},
  store() {},
  clocks() {},
};
