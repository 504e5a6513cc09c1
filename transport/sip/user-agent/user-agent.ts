/** The parts that the usages of a user agent share: sending with credentials, Contact, and the dialogs by their name. */

import type { RandomSource } from "../../../base/random.ts";
import { authorise, type Credentials } from "../auth/client.ts";
import { type NameAddress, nameAddress, ROUTE } from "../codec/addresses.ts";
import type { SipRequest } from "../codec/message.ts";
import { CSEQ } from "../codec/scalars.ts";
import type { SendEvents, Sent, SipCore } from "../core/core.ts";
import type { Answer, Incoming } from "../core/incoming.ts";
import { bracketed, unreachable } from "../core/target.ts";
import { mayRoute, type TargetPolicy, type Way } from "../core/targets.ts";
import type { Flow, NextHop, SipTransport, TransportName } from "../socket/ports.ts";

/** Takes the requests of one dialog, known by Call-ID and our tag. */
export interface DialogUsage {
  request(incoming: Incoming): Answer | Promise<Answer>;
  /** The ACK of a 2xx came. */
  acknowledged?(flow: Flow, request: SipRequest): void;
  flowClosed?(flow: Flow): void;
  /** The endpoint closes. */
  closed?(): void;
}

export interface SendOptions extends SendEvents {
  /** Taken while it is open. */
  readonly flow?: Flow | undefined;
  /** That flow or none. */
  readonly only?: boolean;
  readonly credentials?: Credentials | undefined;
  /** The CSeq number for a request that is sent again; without it, one more than before. */
  readonly nextNumber?: () => number;
}

export interface Answered extends Sent {
  /** As it was sent last, with credentials if those were asked for. */
  readonly request: SipRequest;
}

/** A challenge, a stale nonce, a challenge of a proxy, its stale nonce. */
const MAX_CHALLENGES = 4;

export class UserAgent {
  readonly core: SipCore;
  readonly targets: TargetPolicy | undefined;
  readonly #random: RandomSource;
  readonly #user: string | undefined;
  readonly #proxy: string | undefined;
  readonly #credentials: Credentials | undefined;
  readonly #dialogs = new Map<string, DialogUsage>();

  constructor(
    core: SipCore,
    options: {
      readonly random: RandomSource;
      readonly user?: string;
      readonly outboundProxy?: string;
      readonly credentials?: Credentials;
      readonly targets?: TargetPolicy;
    },
  ) {
    this.core = core;
    this.#random = options.random;
    this.#user = options.user;
    this.#proxy = options.outboundProxy;
    this.#credentials = options.credentials;
    this.targets = options.targets;
  }

  /** Sends a request and answers challenges (22.2, 22.3). Resolves to the last response; rejects as SipCore.send. */
  async send(request: SipRequest, options: SendOptions = {}): Promise<Answered> {
    const credentials = options.credentials ?? this.#credentials;
    let current = request;
    for (let round = 0; ; round++) {
      if (options.only && !options.flow?.open) throw unreachable("the flow of the peer is gone");
      const sent = { ...(await this.core.send(current, options.flow, options)), request: current };
      const { status } = sent.response;
      if ((status !== 401 && status !== 407) || credentials === undefined || round === MAX_CHALLENGES)
        return sent;
      const again = await authorise(current, sent.response, credentials, this.#random);
      if (again === undefined) return sent;
      const { number, method } = again.headers.need(CSEQ);
      again.headers.set(CSEQ, { number: options.nextNumber?.() ?? number + 1, method });
      current = again;
    }
  }

  /** 8.1.2: the outbound proxy as a route set of one. */
  addProxy(request: SipRequest): void {
    if (this.#proxy !== undefined) request.headers.set(ROUTE, nameAddress(this.#proxy));
  }

  /** The way to a peer that asked for requests at that URI, on that flow. */
  wayTo(uri: string, flow: Flow): Way {
    // RFC 5626 5.3, RFC 7118 5: what the peer opened itself may be the only way to it.
    if (flow.reliable && flow.accepted && flow.open) return { flow, only: false };
    const isRouted = this.#proxy !== undefined || mayRoute(uri, flow, this.targets);
    return isRouted ? { flow: undefined, only: false } : { flow, only: true };
  }

  /** Returns where in-dialog requests reach us, for a request to that URI. */
  contactFor(uri: string, nextHop?: NextHop): NameAddress {
    const { transports } = this.core;
    const { transport } =
      nextHop !== undefined && this.#proxy === undefined
        ? transports.hop(nextHop)
        : transports.target(this.#proxy ?? uri);
    return this.#contact(transport, uri.startsWith("sips:"));
  }

  /** The same for what came on a flow. */
  contactOn(flow: Flow, request: SipRequest): NameAddress {
    return this.#contact(this.core.transports.get(flow.transport)!, request.uri.startsWith("sips:"));
  }

  contactBy(name: TransportName): string {
    const transport = this.core.transports.get(name);
    if (transport === undefined) throw unreachable(`no transport ${name}`);
    return this.#contact(transport, false).uri;
  }

  /** 12.1.1: SIPS in the Request-URI asks for SIPS in Contact; elsewhere the transport stands in the URI. */
  #contact(transport: SipTransport, secure: boolean): NameAddress {
    const { host, port } = transport.sentBy;
    const user = this.#user === undefined ? "" : `${this.#user}@`;
    const hostPort = bracketed(host) + (port === undefined ? "" : `:${port}`);
    // RFC 7118 5.1: the URI parameter is ws with TLS too.
    const name = transport.name === "WSS" ? "ws" : transport.name.toLowerCase();
    if (secure) return nameAddress(`sips:${user}${hostPort}${name === "ws" ? ";transport=ws" : ""}`);
    return nameAddress(`sip:${user}${hostPort}${name === "udp" ? "" : `;transport=${name}`}`);
  }

  addDialog(callId: string, localTag: string, usage: DialogUsage): void {
    this.#dialogs.set(`${callId} ${localTag}`, usage);
  }

  removeDialog(callId: string, localTag: string): void {
    this.#dialogs.delete(`${callId} ${localTag}`);
  }

  dialog(callId: string, localTag: string): DialogUsage | undefined {
    return this.#dialogs.get(`${callId} ${localTag}`);
  }

  close(): void {
    for (const usage of [...this.#dialogs.values()]) usage.closed?.();
  }

  flowClosed(flow: Flow): void {
    for (const usage of [...this.#dialogs.values()]) usage.flowClosed?.(flow);
  }
}
