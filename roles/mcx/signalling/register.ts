/**
 * The third-party REGISTER of an S-CSCF (TS 24.229 5.4.1.7), which has the REGISTER of the client in its body: with a token and a
 * CSK it is service authorisation (TS 24.379 7.3.2), as a PUBLISH is.
 */
import { MikeySakkeError } from "../../../base/errors.ts";
import {
  type Answer,
  EXPIRES,
  type Incoming,
  parseMessage,
  type SipRequest,
  TO,
} from "../../../transport/sip/index.ts";
import type { Binder } from "./bind.ts";
import type { SignallingContext } from "./context.ts";
import { uploadedCsk } from "./csk.ts";
import { contactOf } from "./publish.ts";
import { partOf, partsOf, provenBy } from "./request.ts";
import { SignallingRefusal } from "./signalling-refusal.ts";

const MESSAGE_SIP = "message/sip";

export function registerHandler(context: SignallingContext, binder: Binder) {
  const { config, clients, targets } = context;
  return async ({ request, flow }: Incoming): Promise<Answer> => {
    if (!targets.trusts(flow)) throw new SignallingRefusal("NOT_A_PROXY", flow.remote.host);
    const asserted = [request.headers.need(TO).uri];
    const expires = request.headers.get(EXPIRES);
    const octets = partOf(partsOf(request, config.limits.bodyBytes), MESSAGE_SIP);
    if (expires === 0) {
      for (const client of clients.asserted(asserted)) clients.remove(client);
      return { status: 200 };
    }
    // A client that registers without authorisation for MC services may publish it later.
    if (octets === undefined) return { status: 200 };
    const inner = registerIn(octets);
    const parts = partsOf(inner, config.limits.bodyBytes);
    const users = await provenBy(inner, parts, context);
    const uploaded = await uploadedCsk(inner, parts, { users }, context);
    if (uploaded === undefined) return { status: 200 };
    // Without a Contact it asks what is registered (RFC 3261 10.2.3).
    const contact = contactOf(inner, flow, []);
    return binder.bind({ flow, contact, asserted, uploaded, known: undefined, expires });
  };
}

function registerIn(octets: Uint8Array): SipRequest {
  try {
    const message = parseMessage(octets);
    if (message.kind === "request" && message.method === "REGISTER") return message;
  } catch (error) {
    if (!(error instanceof MikeySakkeError)) throw error;
    throw new SignallingRefusal("BAD_BODY", `message/sip: ${error.message}`, error);
  }
  throw new SignallingRefusal("BAD_BODY", "message/sip has no REGISTER");
}
