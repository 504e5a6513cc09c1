/** The checks that a user agent server makes before a method's handler is asked (RFC 3261 8.2), and which handler that is. */
import { MikeySakkeError } from "../../base/errors.ts";
import type { Headers } from "./codec/headers.ts";
import type { SipRequest } from "./codec/message.ts";
import {
  ALLOW,
  ALLOW_EVENTS,
  CALL_ID,
  CONTENT_ENCODING,
  EVENT,
  REQUIRE,
  UNSUPPORTED,
} from "./codec/scalars.ts";
import { parseUri } from "./codec/uri.ts";
import type { Answer, Incoming } from "./core/incoming.ts";
import { refuseProxy } from "./core/targets.ts";
import type { SubscriptionNotifier } from "./subscription/notifier.ts";
import type { UserAgent } from "./user-agent/user-agent.ts";

export type RequestHandler = (incoming: Incoming) => Answer | Promise<Answer>;

export class Dispatcher {
  readonly #agent: UserAgent;
  readonly handlers = new Map<string, RequestHandler>();
  readonly notifiers = new Map<string, SubscriptionNotifier>();

  constructor(agent: UserAgent) {
    this.#agent = agent;
  }

  async serve(incoming: Incoming): Promise<void> {
    let answer: Answer;
    try {
      answer = refuse(incoming.request) ?? (await this.#handle(incoming));
    } catch (error) {
      const code = String((error as { code?: unknown }).code ?? "unknown");
      this.#agent.core.log("sip-handler-failed", { method: incoming.request.method, code });
      // 21.4.1: what is wrong with the request itself shows only when it is looked at, as a Contact that is missing.
      answer = { status: error instanceof MikeySakkeError && error.kind === "codec" ? 400 : 500 };
    }
    incoming.answer(answer);
  }

  #handle(incoming: Incoming): Answer | Promise<Answer> {
    const { method, headers } = incoming.request;
    if (incoming.inDialog) {
      const usage = this.#agent.dialog(headers.need(CALL_ID), incoming.localTag);
      // 12.2.2: of a dialog that is not, or no longer.
      return usage?.request(incoming) ?? { status: 481 };
    }
    const refused = refuseProxy(incoming.request, incoming.flow, this.#agent.targets);
    if (refused !== undefined) return refused;
    if (method === "SUBSCRIBE" && this.notifiers.size > 0)
      return vouched(incoming, this.#subscribe(incoming));
    const handler = this.handlers.get(method);
    // Anybody may ask what there is: the answer is no proof of who asks.
    if (handler !== undefined && method === "OPTIONS") return handler(incoming);
    if (handler !== undefined) return vouched(incoming, handler(incoming));
    // RFC 6665 4.1.3: a NOTIFY of no subscription.
    if (method === "NOTIFY") return { status: 481 };
    const allow = (h: Headers) => {
      h.set(ALLOW, ...this.#methods());
      if (method === "OPTIONS" && this.notifiers.size > 0) h.set(ALLOW_EVENTS, ...this.notifiers.keys());
    };
    return { status: method === "OPTIONS" ? 200 : 405, headers: allow };
  }

  /** RFC 6665 4.2.1.1 and 8.3.2: an event package that nobody serves. */
  #subscribe(incoming: Incoming): Answer | Promise<Answer> {
    const notifier = this.notifiers.get(incoming.request.headers.get(EVENT)?.value.toLowerCase() ?? "");
    if (notifier !== undefined) return notifier.subscribe(incoming);
    return { status: 489, headers: (h) => void h.set(ALLOW_EVENTS, ...this.notifiers.keys()) };
  }

  /** RFC 3261 20.5: all that are understood, in dialogs too. */
  #methods(): string[] {
    const subscribe = this.notifiers.size > 0 ? ["SUBSCRIBE"] : [];
    const session = this.handlers.has("INVITE") ? ["ACK", "BYE", "UPDATE"] : [];
    return [...new Set(["OPTIONS", "NOTIFY", "CANCEL", ...subscribe, ...this.handlers.keys(), ...session])];
  }
}

/** Only authenticated peers are served: handlers and notifiers check that before they accept anything. */
async function vouched(incoming: Incoming, answering: Answer | Promise<Answer>): Promise<Answer> {
  const answer = await answering;
  if (answer.status >= 200 && answer.status < 300) incoming.vouch();
  return answer;
}

function refuse({ uri, headers, body }: SipRequest): Answer | undefined {
  // 8.2.2.1: 416 for a scheme that is not served.
  if (!["sip", "sips", "tel"].includes(parseUri(uri).scheme)) return { status: 416 };
  // 8.2.2.3: of the extensions that may be required, session timers (RFC 4028) are known.
  const required = headers.all(REQUIRE).filter((name) => name.toLowerCase() !== "timer");
  if (required.length > 0) return { status: 420, headers: (h) => void h.set(UNSUPPORTED, ...required) };
  // 8.2.3: a body that is encoded cannot be read.
  const encoded = headers.all(CONTENT_ENCODING).some((name) => name.toLowerCase() !== "identity");
  return encoded && body.length > 0 ? { status: 415 } : undefined;
}
