/**
 * The policy on which hosts a peer may have requests sent to, and which proxies may stand before it: for the host of the
 * endpoint to say.
 */
import { RECORD_ROUTE, VIA } from "../codec/addresses.ts";
import type { SipRequest } from "../codec/message.ts";
import { WARNING } from "../codec/scalars.ts";
import { isSipUri, parseUri } from "../codec/uri.ts";
import type { Flow } from "../socket/ports.ts";
import type { Answer } from "./incoming.ts";
import { bare } from "./target.ts";

/** Without one an endpoint sends requests wherever its peers say, as RFC 3261 has it. */
export interface TargetPolicy {
  /** Returns whether a request may go to that host, because of what came on the flow. A name is no proof of an address. */
  allows(host: string, flow: Flow): boolean;
  /** Returns whether the flow is that of a proxy whose Via and Record-Route count. */
  trusts(flow: Flow): boolean;
}

/** The way of a request, as `UserAgent.send` is given it. */
export interface Way {
  /** Taken while it is open. */
  readonly flow: Flow | undefined;
  /** No other way may be taken in its place. */
  readonly only: boolean;
  /** URI that the next hop is found from in place of Route and Request-URI: that of a strict router. */
  readonly toward?: string | undefined;
}

/** Returns whether a request to that URI may be routed by it. */
export function mayRoute(uri: string, flow: Flow, policy: TargetPolicy | undefined): boolean {
  if (policy === undefined) return true;
  const parsed = parseUri(uri);
  // `maddr` would lead elsewhere than the host says (RFC 3261 19.1.1).
  return isSipUri(parsed) && !parsed.params.has("maddr") && policy.allows(bare(parsed.host), flow);
}

/** RFC 3261 20.43: miscellaneous, with a text for people. */
const MISCELLANEOUS = 399;

/** 403 to what came through a proxy that is not trusted: its Record-Route would lead anywhere. */
export function refuseProxy(
  request: SipRequest,
  flow: Flow,
  policy: TargetPolicy | undefined,
): Answer | undefined {
  if (policy === undefined || policy.trusts(flow)) return undefined;
  const { headers } = request;
  if (headers.all(VIA).length === 1 && !headers.has(RECORD_ROUTE)) return undefined;
  return refusedSource("the request came through a proxy that is not trusted");
}

export function refusedSource(text: string): Answer {
  return {
    status: 403,
    headers: (headers) => void headers.set(WARNING, { code: MISCELLANEOUS, agent: "sip", text }),
  };
}
