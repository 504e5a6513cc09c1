/** The Via of requests: made for sending, stamped on arrival, followed back by responses (RFC 3261 18, RFC 3581). */
import { toHex } from "../../../bindings/bytes.ts";
import { VIA, type Via } from "../codec/addresses.ts";
import type { SipRequest, SipResponse } from "../codec/message.ts";
import type { Flow, HostPort, RandomBytes, SipTransport } from "../ports.ts";
import { MAGIC_COOKIE } from "../transaction/layer.ts";
import { bare, bracketed } from "./target.ts";

/** A Via with a new branch. With rport, answers come to where the request came from (RFC 3581 3). */
export function newVia(transport: SipTransport, random: RandomBytes): Via {
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

/** 18.2.2: where a response goes when not back on the flow of its request. */
export function responseTarget(via: Via): HostPort {
  const received = via.params.get("received") ?? via.host;
  const rport = Number(via.params.get("rport") ?? Number.NaN);
  const host = bare(via.params.get("maddr") ?? received);
  const port = via.port ?? (via.transport === "TLS" ? 5061 : 5060);
  return { host, port: Number.isInteger(rport) ? rport : port };
}

/** 18.1.2: a response whose top Via is not of this transport is not for us. */
export function isOurs(response: SipResponse, transport: SipTransport): boolean {
  const via = response.headers.all(VIA)[0]!;
  const { host, port } = transport.sentBy;
  return bare(via.host).toLowerCase() === host.toLowerCase() && via.port === port;
}
