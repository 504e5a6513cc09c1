/** The transport layer of RFC 3261 18 under the transactions: parses, routes, picks and reuses flows. */
import { toHex } from "../../../bindings/bytes.ts";
import { MikeySakkeError } from "../../../bindings/errors.ts";
import { ROUTE, VIA } from "../codec/addresses.ts";
import { DEFAULT_LIMITS, type SipLimits } from "../codec/limits.ts";
import { type SipMessage, type SipRequest, type SipResponse, writeMessage } from "../codec/message.ts";
import { parseMessage } from "../codec/parse.ts";
import type { Clock, Flow, RandomBytes, SipLog, SipTransport } from "../ports.ts";
import { TransactionLayer } from "../transaction/layer.ts";
import type { ServerTransaction } from "../transaction/server.ts";
import { DEFAULT_TIMERS, type Timers } from "../transaction/timers.ts";
import { refusalOf } from "./refusal.ts";
import { Transports, unreachable } from "./target.ts";
import { isOurs, newVia, responseTarget, stampVia } from "./via.ts";

/** 18.1.1: larger requests need a transport that controls congestion, where the path MTU is not known. */
const LARGEST_DATAGRAM_REQUEST = 1300;

export interface CoreOptions {
  readonly transports: readonly SipTransport[];
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log?: SipLog;
  readonly limits?: SipLimits;
  readonly timers?: Timers;
}

export interface CoreHandlers {
  request(transaction: ServerTransaction): void;
  /** The ACK of a 2xx. */
  acknowledged(request: SipRequest): void;
  flowClosed(flow: Flow): void;
}

export interface SendEvents {
  readonly provisional?: ((response: SipResponse) => void) | undefined;
  /** A 2xx of an INVITE that came again, whose ACK was lost. */
  readonly repeated?: ((response: SipResponse) => void) | undefined;
}

export interface Sent {
  readonly response: SipResponse;
  /** The flow that the request went on. */
  readonly flow: Flow;
}

/** What has been seen; only ever grows. */
export interface SipCounters {
  requestsIn: number;
  requestsOut: number;
  responsesIn: number;
  malformed: number;
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
    strayResponses: 0,
    timeouts: 0,
  };
  readonly #random: RandomBytes;
  readonly #log: SipLog;
  readonly #limits: SipLimits;
  readonly #handlers: CoreHandlers;
  readonly #layer: TransactionLayer;

  constructor(options: CoreOptions, handlers: CoreHandlers) {
    this.transports = new Transports(options.transports);
    this.clock = options.clock;
    this.timers = options.timers ?? DEFAULT_TIMERS;
    this.#random = options.random;
    this.#log = options.log ?? (() => undefined);
    this.#limits = options.limits ?? DEFAULT_LIMITS;
    this.#handlers = handlers;
    this.#layer = new TransactionLayer({
      clock: options.clock,
      timers: this.timers,
      request: (transaction) => handlers.request(transaction),
      acknowledged: (request) => handlers.acknowledged(request),
      sendResponse: (request, flow, octets) => this.#sendResponse(request, flow, octets),
      newTag: () => this.newTag(),
    });
  }

  /** RFC 3261 19.3: at least 32 random bits. */
  newTag(): string {
    return toHex(this.#random(8));
  }

  newCallId(): string {
    return toHex(this.#random(16));
  }

  log(event: string, details: Readonly<Record<string, string | number>> = {}): void {
    this.#log(event, details);
  }

  async start(): Promise<void> {
    for (const transport of this.transports.all) {
      await transport.start({
        message: (bytes, flow) => this.#receive(bytes, flow),
        closed: (flow) => {
          this.#layer.flowClosed(flow);
          this.#handlers.flowClosed(flow);
        },
      });
    }
  }

  async close(): Promise<void> {
    this.#layer.close();
    await Promise.all(this.transports.all.map((transport) => transport.close()));
  }

  /** Transactions that are not over. */
  get transactions(): number {
    return this.#layer.size;
  }

  cancelled(cancel: SipRequest): ServerTransaction | undefined {
    return this.#layer.cancelled(cancel);
  }

  /**
   * Sends a request without Via to its next hop and resolves to the final response. Rejects with the transport
   * errors SIP_UNREACHABLE, SIP_TIMEOUT and SIP_FLOW_FAILED.
   */
  async send(request: SipRequest, flow?: Flow, events: SendEvents = {}): Promise<Sent> {
    const way = await this.#way(request, flow);
    this.counters.requestsOut++;
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
  async transmit(request: SipRequest, flow?: Flow): Promise<void> {
    const way = await this.#way(request, flow);
    this.counters.requestsOut++;
    await way.flow.send(writeMessage(way.request));
  }

  async #way(request: SipRequest, flow: Flow | undefined): Promise<{ request: SipRequest; flow: Flow }> {
    return flow?.open ? this.#prepare(request, flow) : this.#route(request);
  }

  #prepare(request: SipRequest, flow: Flow): { request: SipRequest; flow: Flow } {
    const transport = this.transports.get(flow.transport);
    if (transport === undefined) throw unreachable(`no transport ${flow.transport}`);
    const headers = request.headers.clone().prepend(VIA, newVia(transport, this.#random));
    return { request: { ...request, headers }, flow };
  }

  /** 8.1.2: the first Route, or the Request-URI, is the next hop. */
  async #route(request: SipRequest): Promise<{ request: SipRequest; flow: Flow }> {
    const { transport, remote } = this.transports.target(request.headers.get(ROUTE)?.uri ?? request.uri);
    const tcp = this.transports.get("TCP");
    if (transport.name === "UDP" && tcp !== undefined) {
      const large = writeMessage(request).length + 100 > LARGEST_DATAGRAM_REQUEST;
      // 18.1.1: a peer that has no TCP gets it by UDP after all.
      const flow = large ? await tcp.connect(remote).catch(() => undefined) : undefined;
      if (flow !== undefined) return this.#prepare(request, flow);
    }
    try {
      return this.#prepare(request, await transport.connect(remote));
    } catch (cause) {
      throw unreachable(`no ${transport.name} flow to ${remote.host}:${remote.port}`, cause);
    }
  }

  #receive(bytes: Uint8Array, flow: Flow): void {
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
      this.#layer.receiveRequest(message, flow);
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
    const refusal = refusalOf(bytes, error, this.newTag());
    if (refusal === undefined) return;
    // Not to where the sender says, as nothing about it is sound, but to where it came from.
    flow.send(writeMessage(refusal)).catch(() => undefined);
  }

  /** 18.2.2: on the connection of the request, if it is still there; else to received and rport or the sent-by port. */
  async #sendResponse(request: SipRequest, flow: Flow, octets: Uint8Array): Promise<void> {
    const via = request.headers.need(VIA);
    if (flow.reliable) {
      const sent =
        flow.open &&
        (await flow.send(octets).then(
          () => true,
          () => false,
        ));
      if (sent) return;
    }
    const transport = this.transports.get(flow.transport);
    if (transport === undefined) throw unreachable(`no transport ${flow.transport}`);
    const way = await transport.connect(flow.reliable ? reopened(via) : responseTarget(via));
    await way.send(octets);
  }
}

/** A new connection goes to the sent-by port, as rport is the far end of the old one (18.2.2). */
function reopened(via: ReturnType<typeof newVia>): ReturnType<typeof responseTarget> {
  const params = new Map(via.params);
  params.delete("rport");
  return responseTarget({ ...via, params });
}

function failedError(failure: "timeout" | "transport", method: string): MikeySakkeError {
  return failure === "timeout"
    ? new MikeySakkeError("transport", "SIP_TIMEOUT", `SIP ${method}: no final response in time`)
    : new MikeySakkeError("transport", "SIP_FLOW_FAILED", `SIP ${method}: the flow failed`);
}
