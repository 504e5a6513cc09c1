/** Who subscribes: the access token says it (RFC 8898, TS 24.379 F.1), and From must say the same. */
import { isUri, MEDIA, readMcpttInfo } from "../../../transport/group-xml/index.ts";
import {
  AUTHORIZATION,
  type Authenticator,
  FROM,
  isScheme,
  type SipRequest,
} from "../../../transport/sip/index.ts";
import { TokenRefusal } from "../../server/token-refusal.ts";
import type { TokenVerifier } from "../../server/tokens.ts";
import { partsOf } from "./body.ts";
import { SubscribeRefusal } from "./refusal.ts";

export interface IdentityOptions {
  readonly tokens: TokenVerifier;
  readonly now: () => number;
  readonly maxOctets: number;
  readonly authorizationServer: string | undefined;
  /** Told of every refusal, with the identity that the request claims. */
  readonly refused: (claimed: string, refusal: SubscribeRefusal) => void;
}

/** The identity is the MC service user ID. */
export function subscriberAuthenticator(options: IdentityOptions): Authenticator {
  return {
    async check(request) {
      try {
        return { ok: true, identity: await identify(request, options) };
      } catch (error) {
        if (!(error instanceof SubscribeRefusal)) throw error;
        options.refused(request.headers.need(FROM).uri, error);
        return { ok: false, answer: error.answer(options.authorizationServer) };
      }
    },
  };
}

async function identify(request: SipRequest, { tokens, now, maxOctets }: IdentityOptions): Promise<string> {
  const token = tokenOf(request, maxOctets);
  if (token === undefined) throw new SubscribeRefusal("TOKEN_MISSING");
  const facts = await tokens.verify(`Bearer ${token}`, now()).catch((error: unknown) => {
    if (error instanceof TokenRefusal) throw new SubscribeRefusal(error.code, error.detail, error);
    throw error;
  });
  const { uri } = request.headers.need(FROM);
  if (!facts.identities.includes(uri) || !isUri(uri)) throw new SubscribeRefusal("FORGED_FROM");
  return uri;
}

function tokenOf(request: SipRequest, maxOctets: number): string | undefined {
  const credentials = request.headers.all(AUTHORIZATION).filter((value) => isScheme(value, "Bearer"));
  const token = credentials.find((value) => value.token !== undefined)?.token;
  if (token !== undefined) return token;
  const info = partsOf(request, maxOctets).get(MEDIA.mcpttInfo);
  if (info === undefined) return undefined;
  try {
    return readMcpttInfo(info).accessToken;
  } catch (cause) {
    throw new SubscribeRefusal("BAD_BODY", "the mcptt-info part cannot be read", cause);
  }
}
