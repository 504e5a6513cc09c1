/** Server transactions: what both kinds share, and the one of requests other than INVITE (RFC 3261 17.2.2). */

import type { Clock } from "../../../base/clock.ts";
import { Timer } from "../../../base/clock.ts";
import type { RequestCharge } from "../../admission/requests.ts";
import { type SipRequest, type SipResponse, writeMessage } from "../codec/message.ts";
import type { Flow } from "../socket/ports.ts";
import type { Timers } from "./timers.ts";

/** Sends a response to where its request came from. */
export type Reply = (octets: Uint8Array) => Promise<void>;

export interface ServerParts {
  readonly request: SipRequest;
  /** Octets of the request. */
  readonly octets: number;
  /** Octets of the transaction's name, counted while the transaction exists. */
  readonly nameOctets: number;
  /** The flow that the request came on. */
  readonly flow: Flow;
  readonly reply: Reply;
  /** The part that a request without proof takes of the budget for such. */
  readonly charge: RequestCharge | undefined;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly ended: () => void;
}

/**
 * Answers to a datagram whose sender is not known add up to no more than so many times what came, or the server would be
 * of use against a third party whose address the datagram has (RFC 9000 8.1 has the same factor). The first always goes.
 */
const AMPLIFICATION = 3;
/** Octets of memory of a transaction that has its answer, besides that. */
const KEPT_COST = 2048;

export abstract class ServerTransaction {
  readonly flow: Flow;
  protected readonly clock: Clock;
  protected readonly timers: Timers;
  protected readonly limit: Timer;
  protected last: Uint8Array | undefined;
  readonly #reply: Reply;
  readonly #ended: () => void;
  readonly #nameOctets: number;
  #request: SipRequest | undefined;
  #charge: RequestCharge | undefined;
  #received: number;
  #sent = 0;
  #over = false;

  constructor(parts: ServerParts) {
    this.#request = parts.request;
    this.flow = parts.flow;
    this.clock = parts.clock;
    this.timers = parts.timers;
    this.#reply = parts.reply;
    this.#ended = parts.ended;
    this.#nameOctets = parts.nameOctets;
    this.#charge = parts.charge;
    this.#received = parts.octets;
    this.limit = new Timer(parts.clock);
  }

  /** Until it has its final response. */
  get request(): SipRequest {
    if (this.#request === undefined) throw new Error("the request was answered and is forgotten");
    return this.#request;
  }

  abstract respond(response: SipResponse): void;
  /** The request again, or the ACK of an INVITE. */
  abstract receive(request: SipRequest, octets: number): void;

  protected get over(): boolean {
    return this.#over;
  }

  /** The sender has proven who they are. */
  vouch(): void {
    this.#charge?.release();
    this.#charge = undefined;
    this.flow.vouch?.();
  }

  /** A copy of the request came. */
  protected repeatLast(octets: number): void {
    this.#received += octets;
    this.sendLast();
  }

  protected sendLast(): void {
    const { last } = this;
    if (last === undefined) return;
    const isBound = this.#charge !== undefined && !this.flow.reliable;
    if (isBound && this.#sent > 0 && this.#sent + last.length > AMPLIFICATION * this.#received) return;
    this.#sent += last.length;
    // 17.2.4: when a response cannot be sent, its loss is the client's to find out by its timers.
    this.#reply(last).catch(() => undefined);
  }

  /** It has its final response, and is there for copies of the request only. */
  protected keep(): void {
    this.#request = undefined;
    this.#charge?.keep(KEPT_COST + this.#nameOctets + (this.last?.length ?? 0), () => this.end());
  }

  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.limit.clear();
    this.#charge?.release();
    this.#charge = undefined;
    this.#ended();
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
    if (this.flow.reliable) {
      this.end();
      return;
    }
    this.keep();
    this.limit.set(64 * this.timers.t1, () => this.end());
  }

  receive(_request: SipRequest, octets: number): void {
    this.repeatLast(octets);
  }
}
