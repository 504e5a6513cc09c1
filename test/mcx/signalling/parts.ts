/** Names, keys and tokens that server and clients of these tests share, also across processes. */
import { Initiator } from "../../../bindings/identity/initiator.ts";
import { Receiver } from "../../../bindings/identity/receiver.ts";
import type { ClientKeys } from "../../../roles/identity/index.ts";
import { TokenRefusal } from "../../../roles/server/token-refusal.ts";
import type { TokenVerifier } from "../../../roles/server/tokens.ts";
import type { TestKms } from "../../support/domain.ts";

export const MCX = "sip:mcx@home.example";
export const GROUP = "sip:fire-1@home.example";
export const OTHER = "sip:fire-2@home.example";
export const ALICE = "sip:alice@home.example";
export const BOB = "sip:bob@home.example";
export const CAROL = "sip:carol@home.example";
export const NAMES = [ALICE, BOB, CAROL];

/** For the present. */
export function clientKeysOf(kms: TestKms, user: string, partners: readonly TestKms[] = []): ClientKeys {
  const keySets = [kms.keySet(user, Date.now())];
  const domains = [kms, ...partners].map(({ domain }) => domain);
  const initiator = Initiator.load(kms.domain, keySets);
  const receiver = Receiver.load(domains, keySets);
  return {
    homeKms: kms.domain.kmsUri,
    domains,
    initiator,
    receiver,
    rejected: [],
    destroy: () => receiver.destroy(),
  };
}

export const tokenOf = (user: string) => `for-${user.slice(4).split("@")[0]}`;

/** The token is the name. */
export const nameTokens: TokenVerifier = {
  async verify(authorization) {
    const name = authorization?.replace("Bearer ", "");
    if (!name?.startsWith("for-")) throw new TokenRefusal("TOKEN_INVALID");
    return { identities: [`sip:${name.slice(4)}@home.example`], ofUser: true, scopes: [] };
  },
};
