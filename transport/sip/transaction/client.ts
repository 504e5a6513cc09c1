/** Client transactions: what both kinds share, and the one of requests other than INVITE (RFC 3261 17.1.2). */

import type { Clock } from "../../../base/clock.ts";
import { Timer } from "../../../base/clock.ts";
import { type SipRequest, type SipResponse, writeMessage } from "../codec/message.ts";
import type { Flow } from "../socket/ports.ts";
import type { Timers } from "./timers.ts";

/** Why there is no final response: 8.1.3.1 has them taken for 408 and 503. */
export type Failure = "timeout" | "transport";

export interface ClientEvents {
  response(response: SipResponse): void;
  failed(failure: Failure): void;
}

export interface ClientParts {
  readonly request: SipRequest;
  readonly flow: Flow;
  readonly events: ClientEvents;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Called once, when the transaction is over and may be forgotten. */
  readonly ended: () => void;
}

export abstract class ClientTransaction {
  readonly flow: Flow;
  protected readonly parts: ClientParts;
  /** Timer A or E: sends again. */
  protected readonly again: Timer;
  /** Timers B, F; later D, K, M: ends the state. */
  protected readonly limit: Timer;
  protected readonly octets: Uint8Array;
  #over = false;

  constructor(parts: ClientParts) {
    this.parts = parts;
    this.flow = parts.flow;
    this.again = new Timer(parts.clock);
    this.limit = new Timer(parts.clock);
    this.octets = writeMessage(parts.request);
  }

  abstract start(): void;
  abstract receive(response: SipResponse): void;
  /** 17.1.4: the flow is gone. After a final response that is of no matter. */
  abstract flowClosed(): void;

  protected get over(): boolean {
    return this.#over;
  }

  protected send(octets: Uint8Array): void {
    this.flow.send(octets).catch(() => this.flowClosed());
  }

  protected fail(failure: Failure): void {
    if (this.#over) return;
    this.end();
    this.parts.events.failed(failure);
  }

  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.again.clear();
    this.limit.clear();
    this.parts.ended();
  }
}

export class NonInviteClient extends ClientTransaction {
  #state: "trying" | "proceeding" | "completed" = "trying";

  start(): void {
    const { t1 } = this.parts.timers;
    this.send(this.octets);
    this.limit.set(64 * t1, () => this.fail("timeout"));
    if (!this.flow.reliable) this.again.set(t1, () => this.#repeat(t1));
  }

  /** Timer E: doubles up to T2, and is T2 once there was a provisional response (17.1.2.2). */
  #repeat(interval: number): void {
    const { t2 } = this.parts.timers;
    const next = this.#state === "proceeding" ? t2 : Math.min(2 * interval, t2);
    this.send(this.octets);
    this.again.set(next, () => this.#repeat(next));
  }

  receive(response: SipResponse): void {
    if (this.over || this.#state === "completed") return;
    if (response.status < 200) {
      this.#state = "proceeding";
    } else {
      this.#state = "completed";
      this.again.clear();
      // Timer K: copies of the response are taken in for T4.
      if (this.flow.reliable) this.end();
      else this.limit.set(this.parts.timers.t4, () => this.end());
    }
    this.parts.events.response(response);
  }

  flowClosed(): void {
    if (this.#state !== "completed") this.fail("transport");
  }
}
