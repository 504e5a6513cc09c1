/**
 * The identity of a subscriber, from the access token (RFC 8898, TS 24.379 F.1). From may be an IMS identity (TS
 * 24.484 A.2.2).
 */
import { MikeySakkeError } from "../../../base/errors.ts";
import { isUri } from "../../../documents/group-xml/index.ts";
import { type Authenticator, type Flow, FROM, type SipRequest } from "../../../transport/sip/index.ts";
import { assertedIn, tokenIn, userOf } from "../../server/sip-caller.ts";
import { TokenRefusal } from "../../server/token-refusal.ts";
import type { TokenSources } from "../../server/token-sources.ts";
import type { TokenVerifier } from "../../server/tokens.ts";
import { partsOf } from "./body.ts";
import { SubscribeRefusal } from "./subscribe-refusal.ts";

export interface IdentityOptions {
  readonly tokens: TokenVerifier;
  readonly now: () => number;
  readonly maxOctets: number;
  readonly sources: TokenSources;
  /** Asked for with each refusal, since the issuer may change. */
  readonly authorizationServer: () => string | undefined;
  /** Told of every refusal, with the identity that the request claims. */
  readonly refused: (claimed: string, refusal: SubscribeRefusal) => void;
}

/** The identity is the MC service user ID. */
export function subscriberAuthenticator(options: IdentityOptions): Authenticator {
  return {
    async check(request, flow) {
      try {
        return { ok: true, identity: await identify(request, flow, options) };
      } catch (error) {
        if (!(error instanceof SubscribeRefusal)) throw error;
        options.refused(request.headers.need(FROM).uri, error);
        return { ok: false, answer: error.answer(options.authorizationServer()) };
      }
    },
  };
}

async function identify(
  request: SipRequest,
  flow: Flow,
  { tokens, now, maxOctets, sources }: IdentityOptions,
): Promise<string> {
  const token = tokenOf(request, maxOctets);
  if (token === undefined) throw new SubscribeRefusal("TOKEN_MISSING");
  const facts = await tokens.verify(`Bearer ${token}`, now()).catch((error: unknown) => {
    if (error instanceof TokenRefusal) throw new SubscribeRefusal(error.code, error.detail, error);
    throw error;
  });
  const user = userOf(request, facts.identities.filter(isUri));
  if (user === undefined) throw new SubscribeRefusal("NO_USER");
  const [asserted] = sources.trusts(flow) ? assertedIn(request) : [];
  if (!sources.permits(token, flow, asserted))
    throw new SubscribeRefusal("TOKEN_INVALID", "it came from elsewhere first");
  return user;
}

function tokenOf(request: SipRequest, maxOctets: number): string | undefined {
  const parts = [...partsOf(request, maxOctets)].map(([contentType, body]) => ({ contentType, body }));
  try {
    return tokenIn(request, parts);
  } catch (cause) {
    if (!(cause instanceof MikeySakkeError)) throw cause;
    throw new SubscribeRefusal("BAD_BODY", "the info document cannot be read", cause);
  }
}
