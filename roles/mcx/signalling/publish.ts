/**
 * Service authorisation by PUBLISH (TS 33.180 5.4, 9.2.1; TS 24.379 7.2.2, 7.3.3): it brings the CSK, and refreshes the
 * binding.
 */
import type { Part } from "../../../documents/group-xml/index.ts";
import { SIGNED_MEDIA_TYPE } from "../../../documents/signalling-xml/index.ts";
import {
  type Answer,
  CONTACT,
  EVENT,
  EXPIRES,
  type Flow,
  type Incoming,
  isSameFlow,
  parseSipUri,
  type SipRequest,
} from "../../../transport/sip/index.ts";
import type { Binder } from "./bind.ts";
import type { BoundClient } from "./clients.ts";
import type { SignallingContext } from "./context.ts";
import { uploadedCsk } from "./csk.ts";
import { openRequest, readOrRefuse } from "./opened.ts";
import { type Caller, callerOf, partOf, partsOf } from "./request.ts";
import { SignallingRefusal } from "./signalling-refusal.ts";

const EVENT_PACKAGE = "poc-settings";

export function publishHandler(context: SignallingContext, binder: Binder) {
  const { config, clients } = context;
  return async (incoming: Incoming): Promise<Answer> => {
    const { request, flow } = incoming;
    if (request.headers.get(EVENT)?.value.toLowerCase() !== EVENT_PACKAGE) {
      throw new SignallingRefusal("BAD_EVENT");
    }
    const parts = partsOf(request, config.limits.bodyBytes);
    const caller = await callerOf(incoming, parts, context);
    const contact = contactOf(request, flow, caller.asserted);
    const uploaded = await uploadedCsk(request, parts, caller, context);
    const known = uploaded === undefined ? await vouchedFor(incoming, { caller, contact, parts }) : undefined;
    const { asserted } = caller;
    return binder.bind({ flow, contact, asserted, uploaded, known, expires: request.headers.get(EXPIRES) });
  };

  /**
   * The client that sent a PUBLISH without a CSK. A token alone, which whoever was on the way may have read, does for
   * the flow of the binding only, and a trusted proxy for the IMS identity that it asserts; elsewhere the CSK must sign
   * (9.3.5), or a new one come.
   */
  async function vouchedFor(
    incoming: Incoming,
    { caller, contact, parts }: { caller: Caller; contact: string; parts: readonly Part[] },
  ): Promise<BoundClient> {
    const asserted = clients.asserted(caller.asserted).find((client) => client.contact === contact);
    if (asserted !== undefined && (caller.users?.includes(asserted.user) ?? true)) return asserted;
    if (caller.users === undefined) throw new SignallingRefusal("TOKEN_MISSING");
    const [known] = caller.users.flatMap((user) => clients.at(user, contact) ?? []);
    if (known === undefined) throw new SignallingRefusal("CSK_MISSING");
    const isSigned = partOf(parts, SIGNED_MEDIA_TYPE) !== undefined;
    if (!isSigned && isSameFlow(known.flow, incoming.flow)) return known;
    if (parts.length === 0) throw new SignallingRefusal("BINDING_ELSEWHERE", known.user);
    const { client } = await openRequest(incoming, "mcptt", context);
    if (client !== known) throw new SignallingRefusal("BINDING_ELSEWHERE", known.user);
    return client;
  }
}

/**
 * Returns the URI at which the client is reached: that of its Contact, SIPS where the client itself has TLS. RFC 3903 (table 1)
 * has no Contact in a PUBLISH, and without one it is the first IMS identity in `asserted` (decision D-192).
 */
export function contactOf({ headers }: SipRequest, { transport }: Flow, asserted: readonly string[]): string {
  const contact = headers.get(CONTACT);
  if (contact === undefined && asserted[0] !== undefined) return asserted[0];
  if (contact === undefined || contact === "*") throw new SignallingRefusal("NO_CONTACT");
  const { scheme } = readOrRefuse(() => parseSipUri(contact.uri));
  if (scheme === "sips" && transport !== "TLS" && transport !== "WSS") {
    throw new SignallingRefusal("NO_CONTACT", "a SIPS URI of a client without TLS");
  }
  return contact.uri;
}
