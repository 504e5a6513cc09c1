import { describe, expect, it } from "vitest";
import { type NamedKey, openKmsResponse } from "../../documents/kms-xml/index.ts";
import { clientKeys, ORIGIN, ROOT, World } from "./running-kms.ts";

describe("a client with two identities", () => {
  const USER = "sip:user@example.org";
  const GROUPS = "sip:groups@example.org";
  const SCOPE = "kms:groups";

  it("gets keys wrapped with the TrK of the requesting identity, then of the keys' owner, never in clear", async () => {
    const servers = [{ uri: GROUPS, kind: "gms" as const, scope: SCOPE }];
    const world = await World.create();
    const at = await world.beside({ servers });
    const token = await at.token(USER, { scopes: ["3gpp:mc:ptt_key_management_service", SCOPE] });
    const [ofGroups] = await world.kms.admin.newTransportKeys(GROUPS, { kinds: ["TrK"] });
    const wrapped = async (tail: string, userUri: string, keys: readonly NamedKey[]) => {
      const { body } = await at.ask(tail, { user: userUri, token });
      return (await openKmsResponse(body, clientKeys(...keys))).wrappedWith;
    };
    const [mine, theirs] = [USER, GROUPS].map((uri) => `keyprov/${encodeURIComponent(uri)}`);
    // Only one of them has a TrK: it serves for both.
    expect(await wrapped(mine!, USER, [ofGroups!])).toBe(ofGroups!.id);
    const [ofUser] = await world.kms.admin.newTransportKeys(USER, { kinds: ["TrK"] });
    const both = [ofGroups!, ofUser!];
    for (const tail of ["keyprov", mine!, theirs!]) {
      expect(await wrapped(tail, USER, both), tail).toBe(ofUser!.id);
      expect(await wrapped(tail, GROUPS, both), tail).toBe(ofGroups!.id);
    }
    await at.close();
    await world.close();
  });

  it("gets refusals that name the identity and the URL of the request", async () => {
    const servers = [{ uri: GROUPS, kind: "gms" as const, scope: SCOPE }];
    const other = "https://keys.example.org";
    const world = await World.create({ servers, urls: [ORIGIN, other] });
    const token = await world.token(USER, { scopes: ["3gpp:mc:ptt_key_management_service", SCOPE] });
    const tail = "cert/kms.unknown.example";
    for (const [user, origin] of [
      [USER, ORIGIN],
      [GROUPS, other],
    ] as const) {
      const clientReqUrl = `${origin}${ROOT}/${tail}`;
      const { status, body } = await world.ask(tail, { user, token, body: { clientReqUrl } });
      expect(status).toBe(404);
      expect((await openKmsResponse(body)).response).toMatchObject({ userUri: user, clientReqUrl });
    }
    // Nothing comes back of what is not the token's or the KMS's.
    const clientReqUrl = "https://kms.evil.example/x";
    const { body } = await world.ask(tail, { user: "sip:x@example.org", token, body: { clientReqUrl } });
    const { response } = await openKmsResponse(body);
    expect(response).toMatchObject({ userUri: USER, clientReqUrl: `${ORIGIN}${ROOT}/${tail}` });
    await world.close();
  });
});
