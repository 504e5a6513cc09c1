/** Answers challenges: digest (RFC 3261 22.2, RFC 8760 2.4) and Bearer (RFC 8898). */
import type { RandomSource } from "../../../base/random.ts";
import {
  AUTHORIZATION,
  type AuthValue,
  authParam,
  isScheme,
  PROXY_AUTHENTICATE,
  PROXY_AUTHORIZATION,
  WWW_AUTHENTICATE,
} from "../codec/authorisation.ts";
import type { SipRequest, SipResponse } from "../codec/message.ts";
import { answerDigest } from "./digest-client.ts";

export interface BearerChallenge {
  readonly authorizationServer: string | undefined;
  readonly scope: string | undefined;
  /** As "invalid_token", when a token was refused. */
  readonly error: string | undefined;
}

export interface Credentials {
  readonly digest?: { readonly user: string; readonly password: string };
  /** An access token for the challenge, or nothing. */
  readonly bearer?: (challenge: BearerChallenge) => string | undefined | Promise<string | undefined>;
}

/**
 * The request once more, with credentials for what the 401 or 407 asks for; undefined when there are none, or when
 * those sent before were refused. The caller gives it a new CSeq.
 */
export async function authorise(
  request: SipRequest,
  response: SipResponse,
  credentials: Credentials,
  random: RandomSource,
): Promise<SipRequest | undefined> {
  const proxy = response.status === 407;
  const challenges = response.headers.all(proxy ? PROXY_AUTHENTICATE : WWW_AUTHENTICATE);
  const field = proxy ? PROXY_AUTHORIZATION : AUTHORIZATION;
  const before = request.headers.all(field);
  const values: AuthValue[] = [];
  // RFC 8760 2.4: of several challenges of a realm, the topmost that is understood.
  const realms = new Set<string | undefined>();
  for (const challenge of challenges) {
    const realm = authParam(challenge, "realm");
    if (realms.has(realm)) continue;
    const value = await answer(challenge, request, credentials, random, before);
    if (value === undefined) continue;
    realms.add(realm);
    values.push(value);
  }
  if (values.length === 0) return undefined;
  const others = before.filter(
    (value) => !realms.has(authParam(value, "realm")) && value.token === undefined,
  );
  return { ...request, headers: request.headers.clone().set(field, ...others, ...values) };
}

async function answer(
  challenge: AuthValue,
  request: SipRequest,
  credentials: Credentials,
  random: RandomSource,
  before: readonly AuthValue[],
): Promise<AuthValue | undefined> {
  if (isScheme(challenge, "Digest") && credentials.digest !== undefined) {
    const refused = before.some((value) => authParam(value, "realm") === authParam(challenge, "realm"));
    // 22.1: what was refused is not sent again, unless only its nonce was old.
    if (refused && authParam(challenge, "stale")?.toLowerCase() !== "true") return undefined;
    return answerDigest(challenge, request, credentials.digest, random);
  }
  if (isScheme(challenge, "Bearer") && credentials.bearer !== undefined) {
    const token = await credentials.bearer({
      authorizationServer: authParam(challenge, "authz_server"),
      scope: authParam(challenge, "scope"),
      error: authParam(challenge, "error"),
    });
    if (token === undefined || before.some((value) => value.token === token)) return undefined;
    return { scheme: "Bearer", token, params: new Map() };
  }
  return undefined;
}
