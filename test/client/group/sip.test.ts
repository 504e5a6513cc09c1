/** Keys in NOTIFYs (5.7.2.x): what the client asks for, and what it answers. */
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { utf8 } from "../../../base/bytes.ts";
import {
  MEDIA,
  readKrr,
  readMcpttInfo,
  readMultipart,
  readResourceLists,
  writeMultipart,
  writeXcapDiff,
} from "../../../documents/group-xml/index.ts";
import { AUTHORIZATION, CONTACT, EVENT, FROM, type NotifyResult } from "../../../transport/sip/index.ts";
import { flip } from "../../support/error-code.ts";
import { replace, resigned } from "../../support/forge.ts";
import {
  ALICE,
  AWAY_KMS,
  BOB,
  BreakingStorage,
  FOREIGN_GROUP,
  GMS,
  GROUP,
  type GroupWorld,
  HOME_KMS,
  makeGroupWorld,
} from "./device.ts";
import { adding, diff, GKTP, initial, listed, TestGms, XCAP_ROOT } from "./gms.ts";

let world: GroupWorld;
let gms: TestGms;

beforeAll(async () => {
  world = await makeGroupWorld();
});
beforeEach(async () => {
  gms = await TestGms.create(world);
});
afterEach(() => gms.close());

const REFUSED = {
  status: 488,
  warnings: [
    { code: 399, agent: "home.example", text: "136 authentication of the MIKEY-SAKKE I_MESSAGE failed" },
  ],
};

describe("the SUBSCRIBE of a client", () => {
  it("names the documents and the user, with the token in both places", async () => {
    await gms.start();
    const [{ headers, body }] = gms.subscribes as [(typeof gms.subscribes)[0]];
    expect(headers.get(EVENT)).toEqual({
      value: "xcap-diff",
      params: new Map([["diff-processing", "aggregate"]]),
    });
    expect(headers.get(FROM)?.uri).toBe(ALICE);
    expect(headers.get(AUTHORIZATION)).toMatchObject({ scheme: "Bearer", token: "token-1" });
    expect(headers.texts("P-Preferred-Service")).toEqual(["urn:urn-7:3gpp-service.ims.icsi.mcptt"]);
    expect(headers.get(CONTACT)).toMatchObject({
      params: new Map([["+g.3gpp.icsi-ref", '"urn%3Aurn-7%3A3gpp-service.ims.icsi.mcptt"']]),
    });
    expect(headers.texts("Accept").join()).toContain(MEDIA.xcapDiff);
    const [list, info] = readMultipart(headers.texts("Content-Type")[0]!, body);
    expect(readResourceLists(list!.body)).toEqual([
      "org.3gpp.MCPTT-GKTP/users/sip%3Aalice%40home.example/",
      "org.openmobilealliance.groups/global/byGroupID/sip%3Afire-1%40home.example",
    ]);
    expect(readMcpttInfo(info!.body)).toEqual({ accessToken: "token-1" });
  });

  it("asks for all groups by their collection", async () => {
    await gms.start({ groups: "all" });
    const [{ headers, body }] = gms.subscribes as [(typeof gms.subscribes)[0]];
    const [list] = readMultipart(headers.texts("Content-Type")[0]!, body);
    expect(readResourceLists(list!.body)).toEqual([
      "org.3gpp.MCPTT-GKTP/users/sip%3Aalice%40home.example/",
      "org.openmobilealliance.groups/global/byGroupID/",
    ]);
  });

  it("brings the keys that are there already", async () => {
    const { octets, gmk } = await world.seal();
    gms.current = () => diff([initial("a", octets), listed]);
    await gms.start();
    expect(gms.results).toMatchObject([{ status: 200 }]);
    expect(gms.ring.current(GROUP)!.gmkId).toBe(gmk.keyId);
    expect(gms.types()).toEqual(expect.arrayContaining(["subscribed", "member", "message", "key"]));
  });
});

describe("the answer of a client to a NOTIFY", () => {
  it("is 200 when the key is stored, also the second time", async () => {
    await gms.start();
    const { octets } = await world.seal();
    expect(await gms.notify([initial("a", octets)])).toMatchObject({ status: 200 });
    expect(await gms.notify([initial("a", octets)])).toMatchObject({ status: 200 });
    expect(gms.outcomes()).toEqual(["stored", "known"]);
  });

  it.each<[string, string, () => Promise<Uint8Array>]>([
    [
      "a bad signature",
      "BAD_SIGNATURE",
      async () => {
        const { octets } = await world.seal();
        return flip(octets, 8 * (octets.length - 20));
      },
    ],
    [
      "a GMS that is not authorised",
      "INITIATOR_NOT_AUTHORISED",
      async () => (await world.seal({ initiator: world.stranger })).octets,
    ],
    ["another receiver", "NOT_FOR_ME", async () => (await world.seal({ to: BOB })).octets],
    ["no group", "GROUP_IDS_MISSING", async () => (await world.seal({ groups: [] })).octets],
    [
      "parameters that do not decrypt",
      "PARAMETERS_NOT_AUTHENTIC",
      async () =>
        resigned((await world.seal()).octets, world.gms, (draft) =>
          replace(draft, "GENERAL_EXT", (p) => ({ ...p, data: flip(p.data, 8 * (p.data.length - 1)) })),
        ),
    ],
    ["no message at all", "TRUNCATED", async () => Uint8Array.of(1, 26)],
  ])("is 488 with Warning 136 for %s", async (_, code, make) => {
    await gms.start();
    const good = await world.seal();
    await gms.notify([initial("a", good.octets)]);
    expect(await gms.notify([initial("b", good.octets, await make())])).toMatchObject(REFUSED);
    expect(gms.outcomes()).toEqual(["stored", "known", code]);
    expect(gms.ring.keys().map(({ gmkId }) => gmkId)).toEqual([good.gmk.keyId]);
    expect(gms.subscription!.state).toBe("active");
  });

  it("is 200 for a group that the client did not ask for, and nothing of it is kept", async () => {
    await gms.start();
    const { octets, gmk } = await world.seal({ groups: [FOREIGN_GROUP] });
    expect(await gms.notify([initial("a", octets)])).toMatchObject({ status: 200 });
    const both = await world.seal({ groups: [FOREIGN_GROUP, GROUP] });
    expect(await gms.notify([initial("b", both.octets)])).toMatchObject({ status: 200 });
    expect(gms.outcomes()).toEqual(["unwanted", "stored"]);
    expect(gms.ring.keys().map(({ gmkId }) => gmkId)).toEqual([both.gmk.keyId]);
    expect(gms.ring.keys().map(({ gmkId }) => gmkId)).not.toContain(gmk.keyId);
  });

  it("is 488 for another key under a known GMK-ID, and for a revoked key", async () => {
    await gms.start();
    const first = await world.seal();
    await gms.notify([initial("a", first.octets)]);
    const duplicate = await world.seal({ keyId: first.gmk.keyId });
    expect(await gms.notify([initial("b", duplicate.octets)])).toMatchObject(REFUSED);
    const revocation = await world.seal({ ...first.gmk, parameters: { revoked: true } });
    expect(await gms.notify([initial("c", revocation.octets)])).toMatchObject({ status: 200 });
    const again = await world.seal(first.gmk);
    expect(await gms.notify([initial("d", again.octets)])).toMatchObject(REFUSED);
    expect(gms.outcomes()).toEqual(["stored", "KEY_ID_REUSED", "revoked", "KEY_ID_REVOKED"]);
    expect(gms.ring.current(GROUP)).toBeUndefined();
  });

  it("is 488 for a KMS that is not acceptable, with a KMS Redirect Response where configured", async () => {
    const { octets } = await world.seal();
    const away = new TextEncoder().encode(AWAY_KMS);
    const moved = resigned(octets, world.gms, (draft) =>
      replace(
        draft,
        "IDR",
        (p) => ({ ...p, id: away }),
        (p) => p.role === 7,
      ),
    );
    await gms.start();
    const plain = await gms.notify([initial("a", moved)]);
    expect(plain).toMatchObject(REFUSED);
    expect(plain.response!.body).toHaveLength(0);
    await gms.stop();
    await gms.start({ krrBody: true });
    const { response, ...result } = (await gms.notify([initial("a", moved)])) as NotifyResult &
      Required<Pick<NotifyResult, "response">>;
    expect(result).toMatchObject(REFUSED);
    expect(response.headers.texts("Content-Type")).toEqual([MEDIA.krr]);
    expect(readKrr(response.body)).toEqual({
      initiatorUri: GMS,
      receiverUri: ALICE,
      rejectedKmsUri: AWAY_KMS,
      rejectingEntityUri: ALICE,
      proposedKmsUris: [HOME_KMS],
    });
    const bad = await world.seal({ to: BOB });
    expect((await gms.notify([initial("b", bad.octets)])).response!.body).toHaveLength(0);
  });

  it("is 500 while the key cannot be stored, and 200 once it can", async () => {
    const disk = new BreakingStorage();
    gms.storage = disk;
    await gms.start();
    const { octets } = await world.seal();
    disk.writes = false;
    disk.breakAt = 1;
    expect(await gms.notify([initial("a", octets)])).toMatchObject({ status: 500, warnings: [] });
    disk.breakAt = Number.POSITIVE_INFINITY;
    expect(await gms.notify([initial("a", octets)])).toMatchObject({ status: 200 });
  });

  it("is 500 as long as the user has no keys", async () => {
    let isProvisioned = false;
    const keys = () => {
      if (!isProvisioned) throw new Error("not provisioned");
      return world.alice;
    };
    await gms.start({ keys });
    const { octets } = await world.seal();
    expect(await gms.notify([initial("a", octets)])).toMatchObject({ status: 500 });
    isProvisioned = true;
    expect(await gms.notify([initial("a", octets)])).toMatchObject({ status: 200 });
  });

  it("is 400 or 415 for a body that cannot be read, and 200 for no body", async () => {
    await gms.start();
    const body = utf8("<xcap-diff");
    expect(await gms.notify({ contentType: MEDIA.xcapDiff, body })).toMatchObject({ status: 400 });
    const unknown = await gms.notify({ contentType: "text/plain", body });
    expect(unknown).toMatchObject({ status: 415 });
    expect(unknown.response!.headers.texts("Accept").join()).toContain(MEDIA.xcapDiff);
    const hex = utf8(writeXcapDiff({ xcapRoot: XCAP_ROOT, documents: [initial("a", Uint8Array.of(255))] }));
    const spoilt = new TextDecoder().decode(hex).replace("FF", "F");
    expect(await gms.notify({ contentType: MEDIA.xcapDiff, body: utf8(spoilt) })).toMatchObject({
      status: 400,
    });
    expect(await gms.notify({})).toMatchObject({ status: 200 });
    expect(gms.subscription!.state).toBe("active");
  });

  it("covers messages beside the diff as well", async () => {
    await gms.start();
    const { octets, gmk } = await world.seal();
    const revocation = await world.seal({ ...gmk, parameters: { revoked: true } });
    const beside = (message: Uint8Array) =>
      writeMultipart([
        { contentType: MEDIA.xcapDiff, body: diff([]).body! },
        { contentType: MEDIA.mikey, body: message },
      ]);
    expect(await gms.notify([initial("a", octets)])).toMatchObject({ status: 200 });
    expect(await gms.notify(beside(revocation.octets))).toMatchObject({ status: 200 });
    expect(await gms.notify(beside((await world.seal({ to: BOB })).octets))).toMatchObject(REFUSED);
    expect(await gms.notify({ contentType: MEDIA.mikey, body: revocation.octets })).toMatchObject({
      status: 200,
    });
    expect(gms.outcomes()).toEqual(["stored", "revoked", "NOT_FOR_ME", "known"]);
  });
});

describe("XCAP documents that the client did not ask for", () => {
  it("are passed over", async () => {
    await gms.start();
    const { octets } = await world.seal();
    const patches = adding(octets);
    for (const sel of [
      "org.3gpp.MCPTT-GKTP/users/sip%3Abob%40home.example/gktp.xml",
      "org.3gpp.MCPTT-GKTP/users/sip%3Aalice%40home.example/../x",
      "resource-lists/users/x/index",
      `${GKTP}/~~/GKTPs`,
      "%",
    ]) {
      const documents = [{ sel, newEtag: "a", previousEtag: "0", patches }];
      expect(await gms.notify(documents)).toMatchObject({ status: 200 });
    }
    expect(gms.outcomes()).toEqual([]);
  });
});
