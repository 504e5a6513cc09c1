/** CSK upload (TS 33.180 5.4, 9.2.1; TS 24.379 7.2.2): a PUBLISH binds a client, with the CSK for all that it signals. */

import { toHex } from "../../../bindings/bytes.ts";
import { MikeySakkeError } from "../../../bindings/errors.ts";
import { ntpFromUnixMs } from "../../../bindings/identity/ntp.ts";
import { DEFAULT_WINDOW_MS, type DeliveredKey, openMessage } from "../../../bindings/index.ts";
import { MEDIA, type Part } from "../../../transport/group-xml/index.ts";
import {
  type Answer,
  CONTACT,
  EVENT,
  EXPIRES,
  type Incoming,
  SIP_ETAG,
  type SipRequest,
} from "../../../transport/sip/index.ts";
import { BoundClient } from "./clients.ts";
import type { SignallingContext } from "./context.ts";
import { SignallingRefusal } from "./refusal.ts";
import { identify, partOf, partsOf } from "./request.ts";

const EVENT_PACKAGE = "poc-settings";
const ETAG_BYTES = 8;

/** `bound` is told of a client that has come, or come anew. */
export function publishHandler(context: SignallingContext, bound: (client: BoundClient) => void) {
  const { config, clients, clock, tokens, now, random, seen, count } = context;
  let prunedAt = now();
  return async ({ request, flow }: Incoming): Promise<Answer> => {
    if (request.headers.get(EVENT)?.value.toLowerCase() !== EVENT_PACKAGE) {
      throw new SignallingRefusal("BAD_EVENT");
    }
    const user = await identify(request, tokens, now());
    const parts = partsOf(request, config.limits.bodyBytes);
    const wanted = request.headers.get(EXPIRES) ?? config.limits.maxExpires;
    const contact = contactOf(request);
    if (wanted === 0) {
      const client = clients.at(user, contact);
      if (client !== undefined) clients.remove(client);
      return granted(0);
    }
    const expires = Math.min(wanted, config.limits.maxExpires);
    if (now() - prunedAt > DEFAULT_WINDOW_MS) {
      prunedAt = now();
      // What is older than that is refused by its T.
      seen.prune(ntpFromUnixMs(prunedAt - 2 * DEFAULT_WINDOW_MS));
    }
    const csk = await cskOf(parts, user, context);
    const known = clients.at(user, contact);
    if (csk === undefined && known === undefined) throw new SignallingRefusal("CSK_MISSING");
    const expiresAt = clock.now() + expires * 1000;
    if (known !== undefined) {
      known.flow = flow;
      known.expiresAt = expiresAt;
      if (csk !== undefined) known.add(csk);
    } else {
      if (clients.size >= config.limits.clients) {
        csk!.destroy();
        throw new SignallingRefusal("TOO_MANY", "clients");
      }
      const client = new BoundClient(user, contact, flow, expiresAt);
      client.add(csk!);
      clients.enter(client);
      bound(client);
    }
    count(csk === undefined ? "binding_refreshed" : "csk_uploaded");
    return granted(expires);
  };

  function granted(expires: number): Answer {
    return {
      status: 200,
      headers: (headers) => void headers.set(EXPIRES, expires).set(SIP_ETAG, toHex(random(ETAG_BYTES))),
    };
  }
}

function contactOf({ headers }: SipRequest): string {
  const contact = headers.get(CONTACT);
  if (contact === undefined || contact === "*") throw new SignallingRefusal("NO_CONTACT");
  return contact.uri;
}

/** Undefined: there is none, as where a binding is refreshed. */
async function cskOf(
  parts: readonly Part[],
  user: string,
  { keys, seen, now }: SignallingContext,
): Promise<DeliveredKey | undefined> {
  const octets = partOf(parts, MEDIA.mikey);
  if (octets === undefined) return undefined;
  try {
    const opened = await openMessage(octets, {
      receiver: keys().receiver,
      state: seen,
      now: now(),
      allow: ["CSK"],
      // 5.4: signed by the user that the token is of.
      authorise: ({ uri }) => uri === user,
      from: user,
    });
    if (opened.outcome === "accepted") return opened.key;
  } catch (error) {
    if (!(error instanceof MikeySakkeError)) throw error;
    throw new SignallingRefusal("CSK_REFUSED", error.message, error);
  }
  throw new SignallingRefusal("CSK_REFUSED", "revoked");
}
