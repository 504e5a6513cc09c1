/** Server transactions: what both kinds share, and the one of requests other than INVITE (RFC 3261 17.2.2). */
import { type SipRequest, type SipResponse, writeMessage } from "../codec/message.ts";
import type { Clock, Flow } from "../ports.ts";
import { Timer, type Timers } from "./timers.ts";

export interface ServerParts {
  readonly request: SipRequest;
  /** The flow that the request came on. */
  readonly flow: Flow;
  /** Sends a response where 18.2.2 says. */
  readonly send: (octets: Uint8Array) => Promise<void>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly ended: () => void;
}

export abstract class ServerTransaction {
  readonly request: SipRequest;
  readonly flow: Flow;
  protected readonly parts: ServerParts;
  protected readonly limit: Timer;
  protected last: Uint8Array | undefined;
  #over = false;

  constructor(parts: ServerParts) {
    this.request = parts.request;
    this.flow = parts.flow;
    this.parts = parts;
    this.limit = new Timer(parts.clock);
  }

  abstract respond(response: SipResponse): void;
  /** The request again, or the ACK of an INVITE. */
  abstract receive(request: SipRequest): void;

  protected get over(): boolean {
    return this.#over;
  }

  protected sendLast(): void {
    // 17.2.4: when a response cannot be sent, its loss is the client's to find out by its timers.
    if (this.last !== undefined) this.parts.send(this.last).catch(() => undefined);
  }

  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.limit.clear();
    this.parts.ended();
  }
}

export class NonInviteServer extends ServerTransaction {
  #completed = false;

  respond(response: SipResponse): void {
    if (this.over || this.#completed) return;
    this.last = writeMessage(response);
    this.sendLast();
    if (response.status < 200) return;
    this.#completed = true;
    // Timer J: copies of the request are answered for 64 T1, where copies can be.
    if (this.flow.reliable) this.end();
    else this.limit.set(64 * this.parts.timers.t1, () => this.end());
  }

  receive(): void {
    this.sendLast();
  }
}
