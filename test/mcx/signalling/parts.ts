/** Names, keys and tokens that server and clients of these tests share, also across processes. */
import type { ClientKeys } from "../../../roles/identity/index.ts";
import { TokenRefusal } from "../../../roles/server/token-refusal.ts";
import type { TokenVerifier } from "../../../roles/server/tokens.ts";
import { ALICE, BOB, CAROL, clientKeys, type TestKms } from "../../support/world.ts";

export { ALICE, BOB, CAROL, GROUP, MCX, OTHER_GROUP as OTHER } from "../../support/names.ts";
export const NAMES = [ALICE, BOB, CAROL];

/** The keys of a user for the present key period. */
export const clientKeysOf = (kms: TestKms, user: string, partners: readonly TestKms[] = []): ClientKeys =>
  clientKeys(kms, user, { at: [Date.now()], partners });

export const tokenOf = (user: string) => `for-${user.slice(4).split("@")[0]}`;

/** The token is the name. */
export const nameTokens: TokenVerifier = {
  async verify(authorization) {
    const name = authorization?.replace("Bearer ", "");
    if (!name?.startsWith("for-")) throw new TokenRefusal("TOKEN_INVALID");
    return { identities: [`sip:${name.slice(4)}@home.example`], ofUser: true, scopes: [] };
  },
};
