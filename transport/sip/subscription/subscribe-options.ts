/** The options of a subscriber, the events it is told, and the outcome at the end. */
import type { Credentials } from "../auth/client.ts";
import type { Headers } from "../codec/headers.ts";
import type { SipRequest, SipResponse } from "../codec/message.ts";
import type { Parameterised } from "../codec/scalars.ts";
import type { Answer } from "../core/incoming.ts";
import type { NextHop } from "../socket/ports.ts";
import type { KeepAliveOptions } from "../user-agent/keep-alive.ts";
import type { RequestIds } from "../user-agent/request-ids.ts";

export interface SubscribeOptions {
  readonly uri: string;
  readonly from: string;
  readonly to?: string;
  readonly event: Parameterised;
  readonly accept?: readonly string[];
  /** Seconds. Default 3600. */
  readonly expires?: number;
  readonly contentType?: string;
  readonly body?: Uint8Array;
  readonly headers?: (headers: Headers) => void;
  /** Call-ID and tag of From, for a body that is bound to them; drawn when absent. */
  readonly ids?: RequestIds;
  readonly credentials?: Credentials;
  /** The hop to which the first SUBSCRIBE goes, in place of where `uri` leads; the rest goes where the notifier says. */
  readonly nextHop?: NextHop | undefined;
  /** Milliseconds that the answer to a SUBSCRIBE may take, and then twice as many the first NOTIFY. 64 T1 when absent. */
  readonly patience?: number;
  /** Whether the notifier is still there is asked now and then; when absent only a refresh shows it. */
  readonly keepAlive?: KeepAliveOptions;
  /** Its answer is that of the NOTIFY. */
  readonly onNotify: (notify: Notify) => Answer | Promise<Answer>;
  readonly onEnd?: (end: SubscriptionEnd) => void;
}

export interface Notify {
  readonly request: SipRequest;
  readonly state: string;
  readonly contentType: Parameterised | undefined;
  readonly body: Uint8Array;
}

export interface SubscriptionEnd {
  /**
   * refused: by a response, whose status it is. terminated: by the notifier. expired: no refresh came through.
   * no-notify: nothing followed the 2xx. unreachable: the request found no way. silent: it, or a keep-alive, had no
   * answer.
   */
  readonly cause:
    | "refused"
    | "terminated"
    | "expired"
    | "no-notify"
    | "unreachable"
    | "silent"
    | "unsubscribed";
  readonly status?: number;
  readonly response?: SipResponse;
  /** The reason of the notifier. */
  readonly reason?: string;
  /** Milliseconds after which subscribing again makes sense; undefined: it does not (RFC 6665 4.1.3). */
  readonly retryAfter?: number;
}
