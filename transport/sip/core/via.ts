/** The Via of requests: made for sending, stamped on arrival, followed back by responses (RFC 3261 18, RFC 3581). */
import { toHex } from "../../../base/bytes.ts";
import type { RandomSource } from "../../../base/random.ts";
import { VIA, type Via } from "../codec/addresses.ts";
import type { SipRequest, SipResponse } from "../codec/message.ts";
import type { Flow, SipTransport } from "../socket/ports.ts";
import { MAGIC_COOKIE } from "../transaction/layer.ts";
import { bare, bracketed } from "./target.ts";

const DEFAULT_PORT = 5060;

/** A Via with a new branch. With rport, answers come to where the request came from (RFC 3581 3). */
export function newVia(transport: SipTransport, random: RandomSource): Via {
  const { host, port } = transport.sentBy;
  const branch = MAGIC_COOKIE + toHex(random(12));
  return {
    transport: transport.name,
    host: bracketed(host),
    ...(port === undefined ? {} : { port }),
    params: new Map([
      ["rport", undefined],
      ["branch", branch],
    ]),
  };
}

/** 18.2.1 and RFC 3581 4: notes where the request came from in its top Via. */
export function stampVia(request: SipRequest, flow: Flow): void {
  const [top, ...others] = request.headers.all(VIA) as [Via, ...Via[]];
  const params = new Map(top.params);
  const asked = params.has("rport");
  // What a sender writes there itself would send the response elsewhere.
  params.delete("received");
  if (asked) params.set("rport", String(flow.remote.port));
  if (asked || bare(top.host) !== flow.remote.host) params.set("received", flow.remote.host);
  request.headers.set(VIA, { ...top, params }, ...others);
}

/**
 * 18.2.2 and RFC 3581 4: the port of the sender that datagrams with responses go to. The address is the one that the
 * request came from, whatever maddr, received or the host of the Via say: nothing in them is proven.
 */
export function replyPort(via: Via, flow: Flow): number {
  return via.params.has("rport") ? flow.remote.port : (via.port ?? DEFAULT_PORT);
}

/** 18.1.2: a response whose top Via is not of this transport is not for us. */
export function isOurs(response: SipResponse, transport: SipTransport): boolean {
  const via = response.headers.all(VIA)[0]!;
  const { host, port } = transport.sentBy;
  return bare(via.host).toLowerCase() === host.toLowerCase() && via.port === port;
}
