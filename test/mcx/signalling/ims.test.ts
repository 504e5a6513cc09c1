/** Clients behind an IMS core: From is their IMS identity, a token comes once, and the core says whose the rest is. */
import { afterEach, describe, expect, it } from "vitest";
import { systemRandom } from "../../../base/random.ts";
import { utf8 } from "../../../bindings/index.ts";
import { PAYLOAD_CONTENT_TYPES } from "../../../bindings/mcdata/index.ts";
import {
  MEDIA,
  writeMcdataInfo,
  writeMcpttInfo,
  writeMcvideoInfo,
  writeMultipart,
} from "../../../documents/group-xml/index.ts";
import { sealNewKey } from "../../../roles/call/sealed-key.ts";
import { EVENT, EXPIRES, type Headers } from "../../../transport/sip/index.ts";
import { altered, overTcp } from "./attacker.ts";
import { ALICE, BOB, type Device, GROUP, MCX, McxWorld, NAMES, tokenOf, until } from "./mcx-server.ts";

let world: McxWorld;
afterEach(() => world.close());

const CORE = { sip: { udpPort: 0, tcpPort: 0, trustedProxies: ["127.0.0.1"] } };
const [ALICE_IMS, BOB_IMS, MALLORY_IMS] = ["sip:a1@home1.net", "sip:b1@home1.net", "sip:m1@home1.net"];
const HELLO = [{ contentType: PAYLOAD_CONTENT_TYPES.TEXT, data: utf8("to the north gate") }];
const dataOf = ({ events }: Device) => events.filter((event) => event.type === "data");

const port = () => Number(world.address.split(":").at(-1));
const recorded = (method: string) =>
  world.recorded.findLast((bytes) => Buffer.from(bytes).toString("latin1").startsWith(`${method} `))!;

async function both(config: object = CORE): Promise<[Device, Device]> {
  world = await McxWorld.create(config);
  world.directory.groups.set(GROUP, new Set(NAMES));
  const devices = [
    await world.device(ALICE, { ims: ALICE_IMS }),
    await world.device(BOB, { ims: BOB_IMS }),
  ] as [Device, Device];
  return devices;
}

/** The user who may publish for it, and the outcome. */
async function publish(
  { endpoint }: Device,
  body: { contentType: string; body: Uint8Array },
  headersOf: (headers: Headers) => void = () => undefined,
) {
  const response = await endpoint.request({
    method: "PUBLISH",
    uri: world.address,
    from: ALICE_IMS,
    to: MCX,
    ...body,
    headers(headers) {
      headers.set(EVENT, { value: "poc-settings", params: new Map() }).set(EXPIRES, 60);
      headersOf(headers);
    },
  });
  return response.status;
}

const csk = async (user: string) => {
  const { octets } = await sealNewKey("CSK", { uri: MCX }, world.keys(user), {
    random: systemRandom,
    now: Date.now(),
  });
  return { contentType: MEDIA.mikey, body: octets };
};

describe("clients of an IMS", () => {
  it("are bound by their PUBLISH, and recognised by that binding in calls and short data", async () => {
    const [alice, bob] = await both();
    for (const { client } of [alice, bob]) await client.bind();
    expect(world.clients.of(ALICE)[0]).toMatchObject({ asserted: [ALICE_IMS], user: ALICE });
    const calls = [await alice.client.call(GROUP), await bob.client.call(GROUP)];
    expect(world.sessions.states()[0]!.participants).toEqual([ALICE, BOB]);
    await alice.client.send(GROUP, HELLO);
    await until(() => dataOf(bob).length > 0);
    expect(dataOf(bob)[0]).toMatchObject({ from: ALICE, payloads: HELLO });
    for (const call of calls) await call.hangUp();
    await alice.client.close();
    expect(world.clients.of(ALICE)).toEqual([]);
    // One token came, in the body of the PUBLISH, and not in clear.
    const sent = world.recorded.map((bytes) => Buffer.from(bytes).toString("latin1")).join("\n");
    expect(sent).not.toContain(tokenOf(ALICE));
    expect(sent).not.toContain("Authorization:");
  });

  it("are recognised by the connection of their PUBLISH only without a trusted proxy that asserts identities", async () => {
    const [alice] = await both({});
    await alice.client.bind();
    expect(world.clients.of(ALICE)[0]!.asserted).toEqual([]);
    await alice.client.send(GROUP, HELLO);
    const message = altered(recorded("MESSAGE"), { headers: { "Call-ID": "another" } });
    expect(await overTcp(port(), message)).toBe("SIP/2.0 401 Unauthorized");
    expect(world.counts).toMatchObject({ mcdata_taken: 1, refused_token_missing: 1 });
  });

  it("cannot use the PUBLISH of another client", async () => {
    const [alice, bob] = await both();
    for (const { client } of [alice, bob]) await client.bind();
    await alice.client.send(GROUP, HELLO);
    const message = recorded("MESSAGE");
    for (const identity of [MALLORY_IMS, BOB_IMS, ALICE_IMS]) {
      const headers = { "P-Preferred-Identity": `<${identity}>`, "Call-ID": "another" };
      expect(await overTcp(port(), altered(message, { headers }))).toBe("SIP/2.0 403 Forbidden");
    }
    // Not bound; of another CSK; of its own, but of another request.
    expect(world.counts).toMatchObject({
      refused_not_bound: 1,
      refused_xml_refused: 1,
      refused_request_changed: 1,
    });
  });

  it("refresh and end their own binding as the core asserts them, and nobody else's", async () => {
    const [alice] = await both();
    await alice.client.bind();
    const mallory = await world.device(BOB);
    const contact = world.clients.of(ALICE)[0]!.contact;
    const as = (identity: string, expires: number) => (headers: Headers) => {
      headers.append("P-Preferred-Identity", `<${identity}>`).set(EXPIRES, expires);
      headers.delete("Contact").append("Contact", `<${contact}>`);
    };
    const nothing = { contentType: MEDIA.pocSettings, body: utf8("<poc-settings/>") };
    expect(await publish(mallory, nothing, as(MALLORY_IMS, 0))).toBe(401);
    expect(await publish(mallory, nothing, as(ALICE_IMS, 60))).toBe(200);
    expect(world.counts.binding_refreshed).toBe(1);
    expect(await publish(mallory, nothing, as(ALICE_IMS, 0))).toBe(200);
    expect(world.clients.size).toBe(0);
  });

  it("are bound at their IMS identity by a PUBLISH without a Contact, and refresh and end that binding", async () => {
    const [alice] = await both();
    const as = (expires: number) => (headers: Headers) => {
      headers.append("P-Preferred-Identity", `<${ALICE_IMS}>`).set(EXPIRES, expires);
      headers.delete("Contact");
    };
    const info = {
      contentType: MEDIA.mcpttInfo,
      body: utf8(writeMcpttInfo({ accessToken: tokenOf(ALICE) })),
    };
    const nothing = { contentType: MEDIA.pocSettings, body: utf8("<poc-settings/>") };
    expect(await publish(alice, writeMultipart([await csk(ALICE), info]), as(60))).toBe(200);
    expect(world.clients.of(ALICE)).toMatchObject([{ asserted: [ALICE_IMS], contact: ALICE_IMS }]);
    expect(await publish(alice, nothing, as(60))).toBe(200);
    expect(world.counts).toMatchObject({ csk_uploaded: 1, binding_refreshed: 1 });
    expect(await publish(alice, nothing, as(0))).toBe(200);
    expect(world.clients.size).toBe(0);
  });

  it("need a Contact where no trusted proxy asserts their identity", async () => {
    const [alice] = await both({});
    const info = {
      contentType: MEDIA.mcpttInfo,
      body: utf8(writeMcpttInfo({ accessToken: tokenOf(ALICE) })),
    };
    const without = (headers: Headers) => {
      headers.append("P-Asserted-Identity", `<${ALICE_IMS}>`).delete("Contact");
    };
    expect(await publish(alice, writeMultipart([await csk(ALICE), info]), without)).toBe(400);
    expect(world.counts).toEqual({ refused_no_contact: 1 });
    expect(world.clients.size).toBe(0);
  });
});

describe("a PUBLISH of poc-settings", () => {
  it.each([
    ["mcptt-info", MEDIA.mcpttInfo, writeMcpttInfo],
    ["mcvideo-info", MEDIA.mcvideoInfo, writeMcvideoInfo],
    ["mcdata-info", MEDIA.mcdataInfo, writeMcdataInfo],
  ])(
    "binds with a token in the clear in %s, from an IMS identity, without a core",
    async (_, contentType, write) => {
      const [alice] = await both({});
      const info = (accessToken: string) => ({ contentType, body: utf8(write({ accessToken })) });
      const upload = async (token: string, user: string) =>
        publish(alice, writeMultipart([await csk(user), info(token)]));
      expect(await upload("nonsense", ALICE)).toBe(401);
      expect(await upload(tokenOf(BOB), ALICE)).toBe(403);
      expect(await upload(tokenOf(ALICE), ALICE)).toBe(200);
      expect(world.clients.of(ALICE)).toHaveLength(1);
    },
  );

  it("is refused with a token that is encrypted under another's CSK, and without one", async () => {
    const [alice] = await both({});
    // Sealed by alice, with the token of bob.
    const forged = await world.device(ALICE, { ims: ALICE_IMS, token: tokenOf(BOB) });
    await expect(forged.client.bind()).rejects.toMatchObject({ status: 403 });
    expect(await publish(alice, writeMultipart([await csk(ALICE)]))).toBe(401);
    expect(world.counts).toEqual({ refused_csk_refused: 1, refused_token_missing: 1 });
    expect(world.clients.size).toBe(0);
  });
});

describe("the third-party REGISTER of an S-CSCF", () => {
  const inner = async (user: string, token: string) => {
    const info = { contentType: MEDIA.mcpttInfo, body: utf8(writeMcpttInfo({ accessToken: token })) };
    const { contentType, body } = writeMultipart([await csk(user), info]);
    const head = [
      "REGISTER sip:home1.net SIP/2.0",
      "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1",
      `From: <${ALICE_IMS}>;tag=1`,
      `To: <${ALICE_IMS}>`,
      "Call-ID: inner",
      "CSeq: 1 REGISTER",
      "Contact: <sip:10.0.0.1:5060>",
      `Content-Type: ${contentType}`,
      `Content-Length: ${body.length}`,
      "",
      "",
    ].join("\r\n");
    return { contentType: "message/sip", body: Buffer.concat([utf8(head), body]) };
  };
  const register = async ({ endpoint }: Device, expires: number, body: object = {}) => {
    const headers = (h: Headers) => void h.set(EXPIRES, expires);
    const request = { method: "REGISTER", uri: world.address, from: "sip:s-cscf@home1.net", to: ALICE_IMS };
    return (await endpoint.request({ ...request, ...body, headers })).status;
  };

  it("binds the client whose REGISTER is in it, until it is deregistered", async () => {
    const [scscf] = await both();
    expect(await register(scscf, 600)).toBe(200);
    expect(world.clients.size).toBe(0);
    expect(await register(scscf, 600, await inner(ALICE, tokenOf(ALICE)))).toBe(200);
    expect(world.clients.of(ALICE)[0]).toMatchObject({ asserted: [ALICE_IMS], contact: "sip:10.0.0.1:5060" });
    expect(await register(scscf, 0)).toBe(200);
    expect(world.clients.size).toBe(0);
  });

  it("is refused with another's token, with a malformed body, and from a host that is no trusted proxy", async () => {
    const [scscf] = await both();
    expect(await register(scscf, 600, await inner(ALICE, tokenOf(BOB)))).toBe(403);
    expect(await register(scscf, 600, { contentType: "message/sip", body: utf8("REGISTER") })).toBe(400);
    await world.close();
    const [anybody] = await both({});
    expect(await register(anybody, 600, await inner(ALICE, tokenOf(ALICE)))).toBe(403);
    expect(world.counts).toEqual({ refused_not_a_proxy: 1 });
    expect(world.clients.size).toBe(0);
  });
});
