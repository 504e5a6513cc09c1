/** A user agent that takes requests, sends them, subscribes and notifies (RFC 3261 8, RFC 6665). */
import type { Credentials } from "./auth/client.ts";
import { CONTACT, FROM, nameAddress, TO, tagOf } from "./codec/addresses.ts";
import type { Headers } from "./codec/headers.ts";
import { createRequest, type SipRequest, type SipResponse } from "./codec/message.ts";
import { CALL_ID, CONTENT_TYPE, CSEQ, MAX_FORWARDS } from "./codec/scalars.ts";
import { type CoreOptions, SipCore, type SipCounters } from "./core/core.ts";
import { type Answer, Incoming, mediaType } from "./core/incoming.ts";
import { dialogOfRequest, dialogOfResponse } from "./dialog/dialog.ts";
import { Dispatcher, type RequestHandler } from "./dispatch.ts";
import type { Flow, SipTransport } from "./ports.ts";
import { type InviteResult, Session, type SessionEnd, type SipSession } from "./session/session.ts";
import { type NotifierOptions, SubscriptionNotifier } from "./subscription/notifier.ts";
import type { SubscribeOptions } from "./subscription/subscribe-options.ts";
import { Subscription } from "./subscription/subscriber.ts";
import { InviteServer } from "./transaction/invite-server.ts";
import type { ServerTransaction } from "./transaction/server.ts";
import { UserAgent } from "./user-agent.ts";

export interface SipEndpointOptions extends CoreOptions {
  /** The user part of Contact. */
  readonly user?: string;
  /** A SIP URI with lr; what stands alone or begins a dialog goes there (8.1.2). */
  readonly outboundProxy?: string;
  /** Answers to 401 and 407. */
  readonly credentials?: Credentials;
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
  /** Of a peer that came on it, and may be reached by no other. */
  readonly flow?: Flow;
}

export interface InviteOptions extends Omit<RequestOptions, "method"> {
  readonly onEnd?: (end: SessionEnd) => void;
}

/** An answer to an INVITE; with a 2xx a session begins. */
export interface InviteAnswer extends Answer {
  readonly accepted?: (session: SipSession) => void;
  readonly onEnd?: (end: SessionEnd) => void;
}

export type InviteHandler = (incoming: Incoming) => InviteAnswer | Promise<InviteAnswer>;

export interface SipEndpoint {
  readonly counters: Readonly<SipCounters>;
  /** Transactions that are not over. */
  readonly transactions: number;
  start(): Promise<void>;
  /** Ends transports, transactions and subscriptions, without a word to the peers. */
  close(): Promise<void>;
  /** Where requests reach this endpoint, by a transport of its own. */
  contact(transport: SipTransport["name"]): string;
  /**
   * Sends a request outside of any dialog and resolves to its final response, whatever that is. Rejects with the
   * transport errors SIP_UNREACHABLE, SIP_TIMEOUT and SIP_FLOW_FAILED.
   */
  request(options: RequestOptions): Promise<SipResponse>;
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
    acknowledged({ headers }) {
      agent.dialog(headers.need(CALL_ID), tagOf(headers.need(TO)) ?? "")?.acknowledged?.();
    },
    flowClosed: (flow) => agent.flowClosed(flow),
  });
  const agent = new UserAgent(core, options);
  const dispatcher = new Dispatcher(agent);
  const subscriptions = new Set<Subscription>();

  function receive(transaction: ServerTransaction): void {
    const incoming = new Incoming(transaction, () => core.newTag());
    if (incoming.request.method === "CANCEL") {
      // 9.2: the INVITE is answered with 487 unless it has its answer; a CANCEL of nothing with 481.
      const invite = core.cancelled(incoming.request);
      incoming.answer({ status: invite === undefined ? 481 : 200 });
      if (invite !== undefined) new Incoming(invite, () => incoming.localTag).answer({ status: 487 });
      return;
    }
    if (transaction instanceof InviteServer) {
      core.clock.after(TRYING_AFTER, () => {
        if (!transaction.answered) incoming.answer({ status: 100 });
      });
    }
    void dispatcher.serve(incoming);
  }

  function requestOf(method: string, request: Omit<RequestOptions, "method">): SipRequest {
    const { uri, from, to = uri, contentType, body } = request;
    const message = createRequest(method, uri, body);
    message.headers
      .set(MAX_FORWARDS, 70)
      .set(FROM, nameAddress(from, new Map([["tag", core.newTag()]])))
      .set(TO, nameAddress(to))
      .set(CALL_ID, core.newCallId())
      .set(CSEQ, { number: 1, method })
      .set(CONTACT, agent.contactFor(uri));
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
    const dialog = dialogOfRequest(request, localTag, flow);
    const session = new Session({ agent, dialog, localTag, onEnd: (end) => answer.onEnd?.(end) });
    const contact = agent.contactOn(flow, request);
    const accepted: Answer = {
      ...answer,
      headers(headers) {
        headers.set(CONTACT, contact);
        answer.headers?.(headers);
      },
    };
    const sent = () => {
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
    start: () => core.start(),
    close() {
      for (const subscription of subscriptions) subscription.close();
      for (const notifier of dispatcher.notifiers.values()) notifier.close();
      return core.close();
    },
    contact: (transport) => agent.contactBy(transport),
    async request(request) {
      const { method, credentials, provisional, flow } = request;
      return (await agent.send(requestOf(method, request), { credentials, provisional, flow })).response;
    },
    onRequest: (method, handler) => void dispatcher.handlers.set(method, handler),
    async invite(options) {
      const { credentials, provisional, flow, onEnd = () => undefined } = options;
      let session: Session | undefined;
      const sent = await agent.send(requestOf("INVITE", options), {
        credentials,
        provisional,
        flow,
        repeated: () => session?.acknowledge(sent.flow),
      });
      const { response, request } = sent;
      if (response.status >= 300) return { response, session: undefined };
      const localTag = tagOf(request.headers.need(FROM)) ?? "";
      session = new Session({ agent, dialog: dialogOfResponse(request, response), localTag, onEnd });
      session.acknowledge(sent.flow);
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
