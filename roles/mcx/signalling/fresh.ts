/**
 * Checks whether a request is the one that its sender made, now. XML is signed under the CSK (TS 33.180 9.3.5), but
 * neither with a time nor together with SDP and payloads: what was recorded could be sent again, and with another
 * description of the call.
 */
import { DEFAULT_WINDOW_MS } from "../../../bindings/index.ts";
import type { Part, RequestBinding } from "../../../documents/group-xml/index.ts";
import { digestOfUnsigned } from "../../../documents/signalling-xml/index.ts";
import { CALL_ID, FROM, type Incoming, isSameFlow, tagOf } from "../../../transport/sip/index.ts";
import type { BoundClient } from "./clients.ts";
import { SignallingRefusal } from "./signalling-refusal.ts";

export interface SignedRequest {
  readonly incoming: Incoming;
  readonly client: BoundClient;
  /** In clear, as they were verified. */
  readonly parts: readonly Part[];
  readonly binding: RequestBinding | undefined;
  /** Values of the signatures. */
  readonly signatures: readonly string[];
  /** A trusted proxy asserts the IMS identity that the client is bound to. */
  readonly isAsserted?: boolean;
}

export interface FreshOptions {
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** `acceptUnbound` of the configuration. */
  readonly acceptUnbound: boolean;
}

/** @throws {SignallingRefusal} REQUEST_CHANGED, REQUEST_STALE, REQUEST_UNBOUND, REPLAYED, TOO_MANY */
export function requireFresh(request: SignedRequest, { now, acceptUnbound }: FreshOptions): void {
  const { client, binding, signatures } = request;
  const at = now();
  if (binding === undefined) requireOwnFlow(request, acceptUnbound);
  else {
    if (!isOf(binding, request)) throw new SignallingRefusal("REQUEST_CHANGED", client.user);
    if (Math.abs(at - binding.time) > DEFAULT_WINDOW_MS) {
      throw new SignallingRefusal("REQUEST_STALE", client.user);
    }
  }
  if (signatures.some((value) => client.requests.has(value))) {
    throw new SignallingRefusal("REPLAYED", client.user);
  }
  for (const value of signatures) {
    if (!client.requests.hasRoom(at)) throw new SignallingRefusal("TOO_MANY", `requests of ${client.user}`);
    client.requests.add(value, at);
  }
}

function isOf(binding: RequestBinding, { incoming: { request }, parts }: SignedRequest): boolean {
  const { headers, method } = request;
  return (
    binding.method === method &&
    binding.callId === headers.need(CALL_ID) &&
    binding.fromTag === tagOf(headers.need(FROM)) &&
    binding.digest === digestOfUnsigned(parts)
  );
}

/**
 * A client of the standard binds nothing: then TLS must show that all of it comes from where its CSK came from, or a trusted
 * proxy that it is of the client.
 */
function requireOwnFlow(request: SignedRequest, acceptUnbound: boolean): void {
  const { client, isAsserted = false } = request;
  const { flow } = request.incoming;
  const isProtected = flow.transport === "TLS" || flow.transport === "WSS";
  if (acceptUnbound || isAsserted || (isProtected && isSameFlow(client.flow, flow))) return;
  throw new SignallingRefusal("REQUEST_UNBOUND", client.user);
}
