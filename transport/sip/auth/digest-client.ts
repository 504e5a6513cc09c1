/** The client's answer to a digest challenge (RFC 3261 22.4, RFC 8760). */
import { toHex } from "../../../base/bytes.ts";
import type { RandomSource } from "../../../base/random.ts";
import { type AuthValue, authParam } from "../codec/authorisation.ts";
import type { SipRequest } from "../codec/message.ts";
import { quote } from "../codec/scanner.ts";
import { type DigestProtection, digestAlgorithm, digestResponse, digestSecret } from "./digest.ts";

/** Undefined when the challenge has no realm or nonce, or wants an algorithm or protection that is unknown. */
export function answerDigest(
  challenge: AuthValue,
  { method, uri, body }: SipRequest,
  { user, password }: { user: string; password: string },
  random: RandomSource,
): AuthValue | undefined {
  const named = authParam(challenge, "algorithm");
  const algorithm = digestAlgorithm(named ?? "MD5");
  const realm = authParam(challenge, "realm");
  const nonce = authParam(challenge, "nonce");
  const offered = authParam(challenge, "qop")
    ?.split(",")
    .map((word) => word.trim());
  const qop = offered?.includes("auth") ? "auth" : offered?.includes("auth-int") ? "auth-int" : undefined;
  if (algorithm === undefined || realm === undefined || nonce === undefined) return undefined;
  if (offered !== undefined && qop === undefined) return undefined;
  const params = new Map<string, string>([
    ["username", quote(user)],
    ["realm", quote(realm)],
    ["nonce", quote(nonce)],
    ["uri", quote(uri)],
  ]);
  if (named !== undefined) params.set("algorithm", algorithm);
  const opaque = authParam(challenge, "opaque");
  if (opaque !== undefined) params.set("opaque", quote(opaque));
  const protection: DigestProtection | undefined = qop && {
    qop,
    count: "00000001",
    clientNonce: toHex(random(8)),
  };
  if (protection !== undefined) {
    params
      .set("qop", protection.qop)
      .set("nc", protection.count)
      .set("cnonce", quote(protection.clientNonce));
  }
  const secret = digestSecret(algorithm, user, realm, password);
  const input = { algorithm, secret, method, uri, nonce, body, protection };
  return { scheme: "Digest", params: params.set("response", quote(digestResponse(input))) };
}
