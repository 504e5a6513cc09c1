/** The challenge to a client whose access token is missing or refused. */
import { describe, expect, it } from "vitest";
import { httpChallenge, sipChallenge } from "../../roles/server/bearer-challenge.ts";

const rows = [
  ["TOKEN_MISSING", undefined],
  ["ADMIN_TOKEN", undefined],
  ["TOKEN_INVALID", "invalid_token"],
  ["TOKEN_EXPIRED", "invalid_token"],
  ["WRONG_SCOPE", "insufficient_scope"],
] as const;

describe.each(rows)("the challenge for %s", (code, error) => {
  it("over HTTP is that of RFC 6750 3", () => {
    const expected = error === undefined ? "Bearer" : `Bearer error="${error}"`;
    expect(httpChallenge(code)).toEqual({ "www-authenticate": expected });
  });

  it("over SIP names the issuer, or a realm where there is nothing else to name", () => {
    const issuer = "https://idms.example.org";
    const named = sipChallenge(code, { authorizationServer: issuer, realm: "gms" });
    expect([...named!.params]).toEqual([
      ["authz_server", `"${issuer}"`],
      ...(error === undefined ? [] : [["error", `"${error}"`]]),
    ]);
    const plain = sipChallenge(code, { authorizationServer: undefined, realm: "gms" });
    expect([...plain!.params]).toEqual([error === undefined ? ["realm", '"gms"'] : ["error", `"${error}"`]]);
  });
});

it("a refusal that is not about a token has no challenge", () => {
  expect(httpChallenge("TOKENS_UNAVAILABLE")).toEqual({});
  expect(sipChallenge("BAD_BODY", { authorizationServer: undefined, realm: "gms" })).toBeUndefined();
});
