/** SIP (RFC 3261), for browsers and Node.js. Sockets are passed in; those of Node.js are in index-node.ts. */

export { type Clock, systemClock } from "../../base/clock.ts";
export * from "../admission/admission.ts";
export { type BearerOptions, bearerChallenge, bearerScheme } from "./auth/bearer-scheme.ts";
export type { BearerChallenge, Credentials } from "./auth/client.ts";
export { type DigestAlgorithm, digestSecret } from "./auth/digest.ts";
export { type DigestOptions, digestScheme } from "./auth/digest-scheme.ts";
export * from "./auth/server.ts";
export * from "./codec/addresses.ts";
export * from "./codec/authorisation.ts";
export type { HeaderField } from "./codec/field.ts";
export * from "./codec/framer.ts";
export * from "./codec/headers.ts";
export * from "./codec/limits.ts";
export * from "./codec/message.ts";
export { type Framing, parseMessage } from "./codec/parse.ts";
export * from "./codec/scalars.ts";
export { type Params, quote, unquote } from "./codec/scanner.ts";
export * from "./codec/uri.ts";
export * from "./codec/uri-equal.ts";
export type { SipCounters } from "./core/core.ts";
export type { Answer, Incoming } from "./core/incoming.ts";
export type { TerminatedReason } from "./core/reasons.ts";
export type { TargetPolicy } from "./core/targets.ts";
export type { Dialog } from "./dialog/dialog.ts";
export { isSameFlow } from "./dialog/source.ts";
export type { RequestHandler } from "./dispatch.ts";
export * from "./endpoint.ts";
export { type LocateOptions, locate } from "./locate/locate.ts";
export type * from "./locate/resolver.ts";
export type { Description, InviteResult, OnOffer, SessionEnd, SipSession } from "./session/session.ts";
export { SESSION_TIMER, type SessionTimerOptions } from "./session/session-timer.ts";
export type * from "./socket/ports.ts";
export {
  type WebSocketClientOptions,
  type WebSocketLike,
  webSocketTransport,
} from "./socket/websocket-client.ts";
export type { Decision, NotifierOptions, SubscriptionNotifier } from "./subscription/notifier.ts";
export type {
  CurrentState,
  NotifierEnd,
  NotifierSubscription,
  NotifyResult,
  StateContent,
} from "./subscription/notifier-subscription.ts";
export type * from "./subscription/subscribe-options.ts";
export type { Subscription } from "./subscription/subscriber.ts";
export { DEFAULT_TIMERS, type Timers } from "./transaction/timers.ts";
export { KEEP_ALIVE, type KeepAlive, type KeepAliveOptions } from "./user-agent/keep-alive.ts";
export type { RequestIds } from "./user-agent/request-ids.ts";
