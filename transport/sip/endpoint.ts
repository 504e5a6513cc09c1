/** A user agent that takes requests, sends them, subscribes and notifies (RFC 3261 8, RFC 6665). */
import type { Credentials } from "./auth/client.ts";
import { CONTACT, FROM, nameAddress, TO, tagOf } from "./codec/addresses.ts";
import type { Headers } from "./codec/headers.ts";
import { createRequest, NO_BODY, type SipRequest, type SipResponse } from "./codec/message.ts";
import { CALL_ID, CONTENT_TYPE, CSEQ, MAX_FORWARDS } from "./codec/scalars.ts";
import { type CoreOptions, SipCore, type SipCounters } from "./core/core.ts";
import { type Answer, Incoming, mediaType } from "./core/incoming.ts";
import type { TargetPolicy, Way } from "./core/targets.ts";
import { dialogOfRequest, dialogOfResponse } from "./dialog/dialog.ts";
import { DialogSource, isSameFlow } from "./dialog/source.ts";
import { Dispatcher, type RequestHandler } from "./dispatch.ts";
import {
  type Description,
  type InviteResult,
  type OnOffer,
  Session,
  type SessionEnd,
  type SipSession,
} from "./session/session.ts";
import {
  agree,
  agreedBy,
  askForTimer,
  longerTime,
  type SessionTimerOptions,
  sayTimer,
} from "./session/session-timer.ts";
import type { Flow, NextHop, SipTransport, TransportName } from "./socket/ports.ts";
import { type NotifierOptions, SubscriptionNotifier } from "./subscription/notifier.ts";
import type { SubscribeOptions } from "./subscription/subscribe-options.ts";
import { Subscription } from "./subscription/subscriber.ts";
import { InviteServer } from "./transaction/invite-server.ts";
import type { ServerTransaction } from "./transaction/server.ts";
import { KeepAlive, type KeepAliveOptions, type KeepAliveParts } from "./user-agent/keep-alive.ts";
import type { RequestIds } from "./user-agent/request-ids.ts";
import { type Answered, UserAgent } from "./user-agent/user-agent.ts";

export interface SipEndpointOptions extends CoreOptions {
  /** The user part of Contact. */
  readonly user?: string;
  /** A SIP URI with lr; what stands alone or begins a dialog goes there (8.1.2). */
  readonly outboundProxy?: string;
  /** Answers to 401 and 407. */
  readonly credentials?: Credentials;
  /** The targets to which peers may have requests sent; any when absent. */
  readonly targets?: TargetPolicy;
}

export interface RequestOptions {
  readonly method: string;
  /** The Request-URI, and To unless that is given. */
  readonly uri: string;
  readonly from: string;
  readonly to?: string;
  readonly contentType?: string;
  readonly body?: Uint8Array;
  /** Adds header fields. */
  readonly headers?: (headers: Headers) => void;
  readonly credentials?: Credentials;
  readonly provisional?: (response: SipResponse) => void;
  /** The flow on which the peer came that `uri` names: the request goes back on it, or to where `targets` permits. */
  readonly peer?: Flow;
  /** The hop to which it goes, in place of where `uri` leads; an outbound proxy comes first. */
  readonly nextHop?: NextHop | undefined;
  /** Told of the flow that the request goes on, before it does. */
  readonly leaves?: (flow: Flow) => void;
  /** Drawn when absent. Who puts them into the body must know them before. */
  readonly ids?: RequestIds;
}

export interface InviteOptions extends Omit<RequestOptions, "method"> {
  /** Adds to a request of the session what proves that it is ours, should it not go on the flow of the dialog. */
  readonly prove?: () => Promise<(headers: Headers) => void>;
  /** The description of the session, where the body has more than that: an INVITE of the peer is answered with it alone. */
  readonly description?: Description;
  /** The session is refreshed, and ends when the peer has vanished (RFC 4028); without it, only a BYE ends it. */
  readonly timer?: SessionTimerOptions;
  /** Whether the peer is still there is asked now and then. */
  readonly keepAlive?: KeepAliveOptions;
  /** Offers of the peer to change the session; without it they are refused. */
  readonly onOffer?: OnOffer;
  readonly onEnd?: (end: SessionEnd) => void;
}

/** An answer to an INVITE; with a 2xx a session begins. */
export interface InviteAnswer extends Answer {
  readonly accepted?: (session: SipSession) => void;
  /** As in `InviteOptions`; the peer refreshes where it can. */
  readonly timer?: SessionTimerOptions;
  /** Whether a request of the session that came from elsewhere proves to be the peer's; without it none does. */
  readonly proves?: (request: SipRequest) => Promise<boolean>;
  /** Told of each request of the peer within the session, ACKs included. */
  readonly received?: (request: SipRequest) => void;
  readonly onEnd?: (end: SessionEnd) => void;
}

export type InviteHandler = (incoming: Incoming) => InviteAnswer | Promise<InviteAnswer>;

export interface SipEndpoint {
  readonly counters: Readonly<SipCounters>;
  /** Transactions that are not over. */
  readonly transactions: number;
  /** Names of its transports. */
  readonly transports: readonly TransportName[];
  start(): Promise<void>;
  /** Ends transports, transactions and subscriptions, without a word to the peers. */
  close(): Promise<void>;
  /** Calls back when a connection is gone; returns what takes that away. */
  onFlowClosed(listener: (flow: Flow) => void): () => void;
  /** Returns where requests reach this endpoint, by a transport of its own. */
  contact(transport: SipTransport["name"]): string;
  /**
   * Sends a request outside of any dialog and resolves to its final response, whatever that is. Rejects with the
   * transport errors SIP_UNREACHABLE, SIP_TIMEOUT and SIP_FLOW_FAILED.
   */
  request(options: RequestOptions): Promise<SipResponse>;
  /** Asks a peer outside of any dialog now and then whether it is still there, once it is started. */
  keepAlive(parts: Omit<KeepAliveParts, "core">): KeepAlive;
  /** Serves a method outside of dialogs. A handler that throws is answered for with 500. */
  onRequest(method: string, handler: RequestHandler): void;
  /** Begins a session; without a 2xx there is none. Rejects as `request`. */
  invite(options: InviteOptions): Promise<InviteResult>;
  /** Serves INVITEs outside of dialogs. */
  onInvite(handler: InviteHandler): void;
  subscribe(options: SubscribeOptions): Subscription;
  /** Serves an event package. */
  notifier(options: NotifierOptions): SubscriptionNotifier;
}

/** 17.2.1: an INVITE that has no answer within 200 ms gets 100. */
const TRYING_AFTER = 200;

export function createSipEndpoint(options: SipEndpointOptions): SipEndpoint {
  const core: SipCore = new SipCore(options, {
    request: (transaction) => receive(transaction),
    acknowledged(request, flow) {
      const { headers } = request;
      agent.dialog(headers.need(CALL_ID), tagOf(headers.need(TO)) ?? "")?.acknowledged?.(flow, request);
    },
    flowClosed: (flow) => {
      agent.flowClosed(flow);
      for (const listener of [...flowListeners]) listener(flow);
    },
  });
  const agent = new UserAgent(core, options);
  const dispatcher = new Dispatcher(agent);
  const subscriptions = new Set<Subscription>();
  const flowListeners = new Set<(flow: Flow) => void>();

  function receive(transaction: ServerTransaction): void {
    const incoming = new Incoming(transaction, () => core.newTag());
    if (incoming.request.method === "CANCEL") {
      // 9.2: the INVITE is answered with 487 unless it has its answer; a CANCEL of nothing with 481.
      const found = core.cancelled(incoming.request);
      const invite = found !== undefined && isSameFlow(found.flow, incoming.flow) ? found : undefined;
      incoming.answer({ status: invite === undefined ? 481 : 200 });
      if (invite !== undefined && !invite.answered)
        new Incoming(invite, () => incoming.localTag).answer({ status: 487 });
      return;
    }
    if (transaction instanceof InviteServer) {
      core.clock.after(TRYING_AFTER, () => {
        if (!transaction.answered) incoming.answer({ status: 100 });
      });
    }
    void dispatcher.serve(incoming);
  }

  function requestOf(method: string, request: Omit<RequestOptions, "method">, flow?: Flow): SipRequest {
    const { uri, from, to = uri, contentType, body } = request;
    const { callId = core.newCallId(), fromTag = core.newTag() } = request.ids ?? {};
    const message = createRequest(method, uri, body);
    // The host of a client that nobody can connect to leads nowhere (RFC 7118 5), but its own flow leads to it.
    const contact =
      flow === undefined ? agent.contactFor(uri, request.nextHop) : agent.contactOn(flow, message);
    message.headers
      .set(MAX_FORWARDS, 70)
      .set(FROM, nameAddress(from, new Map([["tag", fromTag]])))
      .set(TO, nameAddress(to))
      .set(CALL_ID, callId)
      .set(CSEQ, { number: 1, method })
      .set(CONTACT, contact);
    if (contentType !== undefined) message.headers.set(CONTENT_TYPE, mediaType(contentType));
    agent.addProxy(message);
    request.headers?.(message.headers);
    return message;
  }

  /** 13.3.1: the 2xx has a Contact, and is sent again until its ACK comes. */
  async function begin(incoming: Incoming, handler: InviteHandler): Promise<Answer> {
    const answer = await handler(incoming);
    if (answer.status < 200 || answer.status >= 300) return answer;
    const { request, flow, localTag } = incoming;
    const dialog = dialogOfRequest(request, localTag, flow, agent.targets);
    const { proves, received, timer, contentType, body = NO_BODY } = answer;
    const agreed = timer && agree(request, timer);
    if (agreed !== undefined && "refuse" in agreed) {
      answer.onEnd?.("lost");
      return agreed.refuse;
    }
    const contact = agent.contactOn(flow, request);
    const session = new Session({
      agent,
      dialog,
      localTag,
      proves,
      received,
      contact,
      timer,
      local: { contentType, body },
      peer: request,
      onEnd: (end) => answer.onEnd?.(end),
    });
    const accepted: Answer = {
      ...answer,
      headers(headers) {
        headers.set(CONTACT, contact);
        if (agreed !== undefined) sayTimer(headers, agreed);
        answer.headers?.(headers);
      },
    };
    const sent = () => {
      session.runFor(agreed);
      session.awaitAck(() => incoming.answer({ ...accepted, sent: () => undefined }));
      answer.accepted?.(session);
      answer.sent?.();
    };
    return { ...accepted, sent };
  }

  return {
    get counters() {
      return core.counters;
    },
    get transactions() {
      return core.transactions;
    },
    transports: core.transports.all.map(({ name }) => name),
    start: () => core.start(),
    close() {
      for (const subscription of subscriptions) subscription.close();
      for (const notifier of dispatcher.notifiers.values()) notifier.close();
      agent.close();
      return core.close();
    },
    onFlowClosed(listener) {
      flowListeners.add(listener);
      return () => void flowListeners.delete(listener);
    },
    contact: (transport) => agent.contactBy(transport),
    async request(request) {
      const { method, credentials, provisional, leaves, peer, uri, nextHop } = request;
      const way: Partial<Way> = peer === undefined ? {} : agent.wayTo(uri, peer);
      const sending = { credentials, provisional, leaves, nextHop, ...way };
      return (await agent.send(requestOf(method, request, way.flow), sending)).response;
    },
    keepAlive: (parts) => new KeepAlive({ ...parts, core }),
    onRequest: (method, handler) => void dispatcher.handlers.set(method, handler),
    async invite(options) {
      const { credentials, provisional, prove, timer, keepAlive, onOffer, description } = options;
      const { onEnd = () => undefined } = options;
      const { contentType, body = NO_BODY, nextHop } = options;
      const { peer } = options;
      const way: Partial<Way> = peer === undefined ? {} : agent.wayTo(options.uri, peer);
      const source = new DialogSource(false);
      let session: Session | undefined;
      const first = requestOf("INVITE", options, way.flow);
      let seconds = timer?.expires ?? 0;
      let sent: Answered;
      for (let number = 1; ; number = sent.request.headers.need(CSEQ).number + 1) {
        first.headers.set(CSEQ, { number, method: "INVITE" });
        if (timer !== undefined) askForTimer(first.headers, seconds, timer);
        sent = await agent.send(first, {
          credentials,
          provisional,
          nextHop,
          ...way,
          leaves: (flow) => {
            source.note(flow);
            options.leaves?.(flow);
          },
          repeated: () => session?.acknowledge(sent.flow),
        });
        const longer = timer && longerTime(sent.response, seconds);
        if (longer === undefined) break;
        seconds = longer;
      }
      const { response, request } = sent;
      if (response.status >= 300) return { response, session: undefined };
      const localTag = tagOf(request.headers.need(FROM)) ?? "";
      const toPeer = peer && { flow: way.flow, policy: agent.targets };
      const dialog = dialogOfResponse(request, response, source, toPeer);
      const contact =
        way.flow === undefined ? agent.contactFor(options.uri, nextHop) : agent.contactOn(way.flow, request);
      const local = { contentType, body };
      const given = { agent, dialog, localTag, prove, onEnd, contact, local, peer: response };
      session = new Session({ ...given, answer: description, timer, keepAlive, onOffer });
      session.acknowledge(sent.flow);
      if (timer !== undefined) session.runFor(agreedBy(response));
      return { response, session };
    },
    onInvite: (handler) => void dispatcher.handlers.set("INVITE", (incoming) => begin(incoming, handler)),
    subscribe(request) {
      const onEnd: NonNullable<SubscribeOptions["onEnd"]> = (end) => {
        subscriptions.delete(subscription);
        request.onEnd?.(end);
      };
      const subscription: Subscription = new Subscription(agent, { ...request, onEnd });
      subscriptions.add(subscription);
      return subscription;
    },
    notifier(request) {
      const notifier = new SubscriptionNotifier(agent, request);
      dispatcher.notifiers.set(request.package.toLowerCase(), notifier);
      return notifier;
    },
  };
}
