/** The transport layer of RFC 3261 18 under the transactions: parses, routes, picks and reuses flows. */
import { toHex } from "../../../base/bytes.ts";
import type { Clock } from "../../../base/clock.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import type { RandomSource } from "../../../base/random.ts";
import type { Admission } from "../../admission/admission.ts";
import { ROUTE, VIA } from "../codec/addresses.ts";
import { DEFAULT_LIMITS, type SipLimits } from "../codec/limits.ts";
import { type SipMessage, type SipRequest, type SipResponse, writeMessage } from "../codec/message.ts";
import { parseMessage } from "../codec/parse.ts";
import type { Flow, NextHop, SipLog, SipTransport, TransportEvents } from "../socket/ports.ts";
import type { InviteServer } from "../transaction/invite-server.ts";
import { TransactionLayer } from "../transaction/layer.ts";
import type { Reply, ServerTransaction } from "../transaction/server.ts";
import { DEFAULT_TIMERS, type Timers } from "../transaction/timers.ts";
import { LargeRequests } from "./large-requests.ts";
import { answerToMalformed } from "./malformed-request.ts";
import { Transports, unreachable } from "./target.ts";
import { isOurs, newVia, replyPort, stampVia } from "./via.ts";

export interface CoreOptions {
  readonly transports: readonly SipTransport[];
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly log?: SipLog;
  readonly limits?: SipLimits;
  readonly timers?: Timers;
  /** Bounds requests whose sender has not proven who they are. Without it nothing does, as for clients. */
  readonly admission?: Admission;
}

export interface CoreHandlers {
  request(transaction: ServerTransaction): void;
  /** The ACK of a 2xx. */
  acknowledged(request: SipRequest, flow: Flow): void;
  flowClosed(flow: Flow): void;
}

/** A double CRLF between messages (RFC 5626 4.4.1). */
const PING = new Uint8Array([13, 10, 13, 10]);

export interface SendEvents {
  /** The hop to which it goes, in place of where the Request-URI leads; a Route comes first. */
  readonly nextHop?: NextHop | undefined;
  /** URI that the next hop is found from, before Route: of a strict router (8.1.2). */
  readonly toward?: string | undefined;
  /** Called with the flow that it goes on, before there is an answer. */
  readonly leaves?: ((flow: Flow) => void) | undefined;
  readonly provisional?: ((response: SipResponse) => void) | undefined;
  /** A 2xx of an INVITE that came again, whose ACK was lost. */
  readonly repeated?: ((response: SipResponse) => void) | undefined;
}

export interface Sent {
  readonly response: SipResponse;
  /** The flow that the request went on. */
  readonly flow: Flow;
}

/** Counts of what has been seen, which only grow. */
export interface SipCounters {
  requestsIn: number;
  requestsOut: number;
  responsesIn: number;
  malformed: number;
  /** Peers that were turned away below SIP. */
  refused: number;
  strayResponses: number;
  timeouts: number;
}

export class SipCore {
  readonly transports: Transports;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly counters: SipCounters = {
    requestsIn: 0,
    requestsOut: 0,
    responsesIn: 0,
    malformed: 0,
    refused: 0,
    strayResponses: 0,
    timeouts: 0,
  };
  readonly random: RandomSource;
  readonly #log: SipLog;
  readonly #limits: SipLimits;
  readonly #handlers: CoreHandlers;
  readonly #layer: TransactionLayer;
  readonly #large: LargeRequests;
  /** When octets came on a connection last, by the clock. */
  readonly #heard = new WeakMap<Flow, number>();

  constructor(options: CoreOptions, handlers: CoreHandlers) {
    this.transports = new Transports(options.transports);
    this.clock = options.clock;
    this.timers = options.timers ?? DEFAULT_TIMERS;
    this.random = options.random;
    this.#log = options.log ?? (() => undefined);
    this.#limits = options.limits ?? DEFAULT_LIMITS;
    this.#handlers = handlers;
    this.#large = new LargeRequests(options.clock);
    this.#layer = new TransactionLayer({
      clock: options.clock,
      timers: this.timers,
      request: (transaction) => handlers.request(transaction),
      acknowledged: (request, flow) => handlers.acknowledged(request, flow),
      replyTo: (request, flow) => this.#replyTo(request, flow),
      admission: options.admission,
      newTag: () => this.newTag(),
    });
  }

  /** RFC 3261 19.3: at least 32 random bits. */
  newTag(): string {
    return toHex(this.random(8));
  }

  newCallId(): string {
    return toHex(this.random(16));
  }

  /** Asks for a sign of life, which `heard` shows. */
  ping(flow: Flow): void {
    flow.send(PING).catch(() => undefined);
  }

  /** When octets came on it last, by the clock. */
  heard(flow: Flow): number {
    return this.#heard.get(flow) ?? Number.NEGATIVE_INFINITY;
  }

  log(event: string, details: Readonly<Record<string, string | number>> = {}): void {
    this.#log(event, details);
  }

  async start(): Promise<void> {
    const events: TransportEvents = {
      message: (bytes, flow) => this.#receive(bytes, flow),
      pong: (flow) => void this.#heard.set(flow, this.clock.now()),
      closed: (flow) => {
        this.#layer.flowClosed(flow);
        this.#handlers.flowClosed(flow);
      },
      refused: (code, transport, remote) => {
        this.counters.refused++;
        this.log("sip-refused", { code, transport, remote: remote.host });
      },
    };
    for (const transport of this.transports.all) await transport.start(events);
  }

  async close(): Promise<void> {
    this.#layer.close();
    await Promise.all(this.transports.all.map((transport) => transport.close()));
  }

  /** Transactions that are not over. */
  get transactions(): number {
    return this.#layer.size;
  }

  cancelled(cancel: SipRequest): InviteServer | undefined {
    return this.#layer.cancelled(cancel);
  }

  /**
   * Sends a request without Via to its next hop and resolves to the final response. Rejects with the transport
   * errors SIP_UNREACHABLE, SIP_TIMEOUT and SIP_FLOW_FAILED.
   */
  async send(request: SipRequest, flow?: Flow, events: SendEvents = {}): Promise<Sent> {
    const way = await this.#way(request, flow, events);
    this.counters.requestsOut++;
    events.leaves?.(way.flow);
    let isAnswered = false;
    return new Promise((resolve, reject) => {
      this.#layer.send(way.request, way.flow, {
        response: (response) => {
          if (response.status < 200) events.provisional?.(response);
          else if (isAnswered) events.repeated?.(response);
          else {
            isAnswered = true;
            resolve({ response, flow: way.flow });
          }
        },
        failed: (failure) => {
          if (failure === "timeout") this.counters.timeouts++;
          reject(failedError(failure, request.method));
        },
      });
    });
  }

  /** Sends what has no answer: the ACK of a 2xx. Rejects as `send`. */
  async transmit(request: SipRequest, flow?: Flow, where: Pick<SendEvents, "toward"> = {}): Promise<void> {
    const way = await this.#way(request, flow, where);
    this.counters.requestsOut++;
    await way.flow.send(writeMessage(way.request));
  }

  async #way(
    request: SipRequest,
    flow: Flow | undefined,
    where: Pick<SendEvents, "nextHop" | "toward">,
  ): Promise<{ request: SipRequest; flow: Flow }> {
    return flow?.open ? this.#prepare(request, flow) : this.#route(request, where);
  }

  #prepare(request: SipRequest, flow: Flow): { request: SipRequest; flow: Flow } {
    const transport = this.transports.get(flow.transport);
    if (transport === undefined) throw unreachable(`no transport ${flow.transport}`);
    const headers = request.headers.clone().prepend(VIA, newVia(transport, this.random));
    return { request: { ...request, headers }, flow };
  }

  /** 8.1.2: the first Route, or the Request-URI, is the next hop; of a strict router the Request-URI in any case. */
  async #route(
    request: SipRequest,
    { nextHop, toward }: Pick<SendEvents, "nextHop" | "toward">,
  ): Promise<{ request: SipRequest; flow: Flow }> {
    const route = request.headers.get(ROUTE);
    const { transport, remote } =
      nextHop !== undefined && route === undefined
        ? this.transports.hop(nextHop)
        : this.transports.target(toward ?? route?.uri ?? request.uri);
    const tcp = this.transports.get("TCP");
    if (transport.name === "UDP" && tcp !== undefined && LargeRequests.has(writeMessage(request).length)) {
      const flow = await this.#large.connect(tcp, remote);
      if (flow !== undefined) return this.#prepare(request, flow);
    }
    try {
      return this.#prepare(request, await transport.connect(remote));
    } catch (cause) {
      throw unreachable(`no ${transport.name} flow to ${remote.host}:${remote.port}`, cause);
    }
  }

  #receive(bytes: Uint8Array, flow: Flow): void {
    if (flow.reliable) this.#heard.set(flow, this.clock.now());
    let message: SipMessage;
    try {
      const framing = flow.transport === "TCP" || flow.transport === "TLS" ? "stream" : "datagram";
      message = parseMessage(bytes, framing, this.#limits);
    } catch (error) {
      this.#refuse(bytes, flow, error);
      return;
    }
    if (message.kind === "request") {
      this.counters.requestsIn++;
      stampVia(message, flow);
      this.#layer.receiveRequest(message, flow, bytes.length);
      return;
    }
    this.counters.responsesIn++;
    const transport = this.transports.get(flow.transport);
    if (transport === undefined || !isOurs(message, transport) || !this.#layer.receiveResponse(message)) {
      this.counters.strayResponses++;
    }
  }

  #refuse(bytes: Uint8Array, flow: Flow, error: unknown): void {
    this.counters.malformed++;
    const code = error instanceof MikeySakkeError ? error.code : "unknown";
    this.log("sip-malformed", { code, transport: flow.transport, remote: flow.remote.host });
    const refusal = answerToMalformed(bytes, error, this.newTag(), this.#limits);
    if (refusal === undefined) return;
    // Not to where the sender says, as nothing about it is sound, but to where it came from.
    flow.send(writeMessage(refusal)).catch(() => undefined);
  }

  /**
   * Returns how a request is answered: on the connection that it came by, and not at all once that is gone; a datagram
   * at the address that it came from. 18.2.2 is not followed further (decision D-051).
   */
  #replyTo(request: SipRequest, flow: Flow): Reply {
    if (flow.reliable) return (octets) => flow.send(octets);
    const port = replyPort(request.headers.need(VIA), flow);
    if (port === flow.remote.port) return (octets) => flow.send(octets);
    const transport = this.transports.get(flow.transport);
    if (transport === undefined) throw unreachable(`no transport ${flow.transport}`);
    const { host } = flow.remote;
    return async (octets) => (await transport.connect({ host, port })).send(octets);
  }
}

function failedError(failure: "timeout" | "transport", method: string): MikeySakkeError {
  return failure === "timeout"
    ? new MikeySakkeError("transport", "SIP_TIMEOUT", `SIP ${method}: no final response in time`)
    : new MikeySakkeError("transport", "SIP_FLOW_FAILED", `SIP ${method}: the flow failed`);
}
