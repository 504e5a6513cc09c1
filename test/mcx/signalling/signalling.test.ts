/**
 * Clients and an MCX server over SIP: CSK upload, MuSiK download, group calls, short data (TS 33.180 5.4, 5.8, 8, 9).
 */
import { afterEach, describe, expect, it } from "vitest";
import { pause } from "../../../base/deadline.ts";
import { Initiator } from "../../../bindings/identity/initiator.ts";
import { sealMessage, systemRandom, utf8 } from "../../../bindings/index.ts";
import {
  encodeDataPayload,
  MCDATA_MEDIA_TYPES,
  PAYLOAD_CONTENT_TYPES,
} from "../../../bindings/mcdata/index.ts";
import { MEDIA, writeMcdataInfo, writeMultipart } from "../../../documents/group-xml/index.ts";
import type { McxCall } from "../../../roles/client/mcx/index.ts";
import {
  AUTHORIZATION,
  CONTACT,
  EVENT,
  EXPIRES,
  type Headers,
  nameAddress,
} from "../../../transport/sip/index.ts";
import { FRAME_MS } from "../../client/calls/say.ts";
import { makeKms } from "../../support/world.ts";
import { takeFloor, takeTurn } from "./floor.ts";
import { ALICE, BOB, CAROL, type Device, GROUP, MCX, McxWorld, NAMES, OTHER, until } from "./mcx-server.ts";

let world: McxWorld;
afterEach(() => world.close());

async function bound(...users: string[]): Promise<Device[]> {
  const devices = await Promise.all(users.map((user) => world.device(user)));
  await Promise.all(devices.map(({ client }) => client.bind()));
  return devices;
}

const authorised = (user: string) => (headers: Headers) =>
  void headers.set(AUTHORIZATION, {
    scheme: "Bearer",
    token: `for-${user.slice(4).split("@")[0]}`,
    params: new Map(),
  });

describe("a CSK upload", () => {
  it("binds the client to the CSK, until it leaves or the binding expires", async () => {
    world = await McxWorld.create();
    const [alice] = await bound(ALICE);
    expect(world.clients.of(ALICE)[0]?.sending()?.kind).toBe("CSK");
    expect(alice!.events).toEqual([{ type: "bound", expires: 3600, server: world.address }]);
    const first = world.clients.of(ALICE)[0]!.sending()!.keyId;
    await alice!.client.bind();
    const client = world.clients.of(ALICE)[0]!;
    expect(client.sending()!.keyId).not.toBe(first);
    // The old one is received under until the new one is used (5.8).
    expect(client.receiving(first)).toBeDefined();
    client.used(client.sending()!.keyId);
    expect(client.receiving(first)).toBeUndefined();
    await alice!.client.close();
    expect(world.clients.size).toBe(0);
    const short = await world.device(BOB, { expires: 1 });
    await short.client.bind();
    expect(world.clients.of(BOB)).toHaveLength(1);
    // It is renewed in time, without another CSK.
    await until(() => (world.counts.binding_refreshed ?? 0) > 1);
    expect(world.counts.csk_uploaded).toBe(3);
  });

  it.each([
    ["with a token that is none", { token: "nonsense" }, 401, "token_invalid"],
    ["with another's token", { token: "for-bob" }, 403, "csk_refused"],
    ["signed by another", { signsAs: BOB }, 403, "csk_refused"],
  ])("is refused %s", async (_, changes, status, code) => {
    world = await McxWorld.create();
    const device = await world.device(ALICE, changes);
    await expect(device.client.bind()).rejects.toMatchObject({ code: "MCX_REFUSED", status });
    expect(world.clients.size).toBe(0);
    expect(Object.keys(world.counts)).toEqual([`refused_${code}`]);
  });

  it.each([
    ["refused from a partner KMS that vouches for nobody by name", undefined, 403],
    ["refused from a partner KMS for other domains", ["away.example"], 403],
    ["taken from a partner KMS that is permitted for the user's domain", ["home.example"], 200],
  ])("is %s", async (_, kmsDomains, status) => {
    world = await McxWorld.create({}, false, (core) => [
      makeKms(core, "kms.away.example", kmsDomains && { kmsDomains }),
    ]);
    const [partner] = world.partners;
    // Sound but for its KMS: the partner has given somebody keys of Alice's name.
    const initiator = Initiator.load(partner!.domain, [partner!.keySet(ALICE, Date.now())]);
    const domains = [world.kms.domain, partner!.domain];
    const request = { kind: "CSK", members: [{ uri: MCX, kmsUri: world.kms.domain.kmsUri }] } as const;
    const { messages } = await sealMessage(request, { initiator, domains, random: systemRandom }, Date.now());
    const { endpoint } = await world.device(ALICE);
    const response = await endpoint.request({
      method: "PUBLISH",
      uri: world.address,
      from: ALICE,
      to: MCX,
      contentType: MEDIA.mikey,
      body: messages[0]!.octets,
      headers(headers) {
        headers.set(EVENT, { value: "poc-settings", params: new Map() }).set(EXPIRES, 60);
        authorised(ALICE)(headers);
      },
    });
    expect(response.status).toBe(status);
    expect(world.clients.of(ALICE)).toHaveLength(status === 200 ? 1 : 0);
    expect(world.counts).toEqual({ [status === 200 ? "csk_uploaded" : "refused_csk_refused"]: 1 });
  });

  it("is refused without a CSK, of another event package, and when it cannot be read", async () => {
    world = await McxWorld.create();
    const { endpoint } = await world.device(ALICE);
    const publish = async (
      event: string,
      body?: Uint8Array,
      headersOf: (headers: Headers) => void = authorised(ALICE),
    ) => {
      const response = await endpoint.request({
        method: "PUBLISH",
        uri: world.address,
        from: ALICE,
        to: MCX,
        ...(body && { contentType: MEDIA.mikey, body }),
        headers(headers) {
          headers.set(EVENT, { value: event, params: new Map() }).set(EXPIRES, 60);
          headersOf(headers);
        },
      });
      return response.status;
    };
    expect(await publish("poc-settings", undefined, () => undefined)).toBe(401);
    expect(await publish("poc-settings")).toBe(403);
    expect(await publish("presence")).toBe(489);
    expect(await publish("poc-settings", new Uint8Array(40))).toBe(403);
    expect(await publish("poc-settings", new Uint8Array(100_000))).toBe(413);
    const at = (contact: string) => (headers: Headers) => {
      authorised(ALICE)(headers);
      headers.set(CONTACT, nameAddress(contact));
    };
    // No request could go to a Contact that is no SIP URI, or a secure one on a flow that is not.
    expect(await publish("poc-settings", undefined, at("tel:+1-201-555-0123"))).toBe(400);
    expect(await publish("poc-settings", undefined, at("sips:alice@127.0.0.1"))).toBe(400);
    expect(world.clients.size).toBe(0);
  });
});

describe("a group call", () => {
  it("brings a member's speech to the others, and puts a removed member out", async () => {
    world = await McxWorld.create();
    world.directory.groups.set(GROUP, new Set(NAMES));
    const devices = await bound(...NAMES);
    const ends: string[] = [];
    const calls = await Promise.all(
      devices.map(({ client }, i) =>
        client.call(GROUP, { members: () => NAMES, onEnd: (end) => ends.push(`${NAMES[i]} ${end}`) }),
      ),
    );
    const [alice, bob, carol] = calls as [McxCall, McxCall, McxCall];
    const [atBob, atCarol] = await takeTurn(alice.call, [bob.call, carol.call], 25);
    expect(atBob!.length).toBeGreaterThan(20);
    expect(atCarol!.length).toBeGreaterThan(20);
    expect(bob.call.counters.media).toMatchObject({ received: 25, mismatches: 0 });
    expect(world.sessions.states()[0]).toMatchObject({ groupUri: GROUP, mixed: false });
    world.directory.remove(GROUP, CAROL);
    await until(() => ends.length > 0);
    expect(ends).toEqual([`${CAROL} bye`]);
    const before = carol.call.counters.media.received;
    await takeTurn(bob.call, [alice.call], 10);
    expect(carol.call.counters.media.received).toBe(before);
    // A new CSK in the midst of the call.
    await devices[0]!.client.bind();
    expect((await takeTurn(alice.call, [bob.call], 10))[0]!.length).toBeGreaterThan(5);
    await Promise.all([alice.hangUp(), bob.hangUp()]);
    await until(() => world.sessions.groups().length === 0);
    expect(world.sessions.totals().forwarded).toBe(45);
  });

  it("is joined at a server that takes six seconds to answer", async () => {
    world = await McxWorld.create();
    world.directory.groups.set(GROUP, new Set([ALICE]));
    let late = 0;
    const { client } = await world.device(ALICE, { incoming: (_, pass) => void setTimeout(pass, late) });
    await client.bind();
    late = 6000;
    const call = await client.call(GROUP);
    late = 0;
    expect(world.sessions.groups()).toEqual([GROUP]);
    await call.hangUp();
  });

  it("is refused to non-members, to unbound clients, and for unknown groups", async () => {
    world = await McxWorld.create();
    world.directory.groups.set(GROUP, new Set([ALICE]));
    const [bob] = await bound(BOB);
    await expect(bob!.client.call(GROUP)).rejects.toMatchObject({ status: 403 });
    await expect(bob!.client.call(OTHER)).rejects.toMatchObject({ status: 403 });
    world.directory.isReachable = false;
    await expect(bob!.client.call(GROUP)).rejects.toMatchObject({ status: 503 });
    const alice = await world.device(ALICE);
    await expect(alice.client.call(GROUP)).rejects.toMatchObject({ code: "NO_SIGNALLING_KEY" });
    const parts = [{ contentType: MEDIA.sdp, body: utf8("v=0") }];
    const { contentType, body } = writeMultipart(parts);
    const invite = (user: string, { endpoint }: Device) =>
      endpoint.invite({
        uri: world.address,
        from: user,
        to: MCX,
        contentType,
        body,
        headers: authorised(user),
      });
    expect((await invite(ALICE, alice)).response.status).toBe(403);
    // The message lacks the protection that the server asks for.
    const info = utf8('<mcpttinfo xmlns="urn:3gpp:ns:mcpttInfo:1.0"/>');
    const clear = writeMultipart([...parts, { contentType: MEDIA.mcpttInfo, body: info }]);
    const { response } = await bob!.endpoint.invite({
      uri: world.address,
      from: BOB,
      to: MCX,
      ...clear,
      headers: authorised(BOB),
    });
    expect(response.status).toBe(403);
    expect(world.counts).toMatchObject({ refused_not_bound: 1, refused_xml_refused: 1 });
    expect(world.sessions.groups()).toEqual([]);
  });

  it("follows the group document: its services, how many may be in a call, and its hang timer", async () => {
    world = await McxWorld.create();
    world.directory.groups.set(GROUP, new Set([ALICE, BOB]));
    const [alice, bob] = await bound(ALICE, BOB);
    world.directory.rules.set(GROUP, { services: ["mcvideo", "mcdata"] });
    await expect(alice!.client.call(GROUP)).rejects.toThrow("403 Forbidden, SERVICE_NOT_IN_GROUP");
    world.directory.rules.set(GROUP, { services: ["mcptt"], maxParticipants: 1, hangTimer: 1 });
    const call = await alice!.client.call(GROUP);
    await expect(bob!.client.call(GROUP)).rejects.toThrow("486 Busy Here, CALL_FULL");
    expect(world.counts).toMatchObject({
      refused_service_not_in_group: 1,
      refused_call_full: 1,
      call_joined: 1,
    });
    // Nobody talks.
    await expect.poll(() => world.sessions.groups(), { timeout: 20_000 }).toEqual([]);
    await call.hangUp();
  });

  it.each([
    ["protect-media", "PROTECT_MEDIA_FALSE"],
    ["protect-floor-control-signalling", "PROTECT_FLOOR_CONTROL_SIGNALLING_FALSE"],
  ] as const)(
    "does not exist for a group whose document has %s as false, and ends when it becomes false",
    async (element, code) => {
      world = await McxWorld.create();
      world.directory.groups.set(GROUP, new Set([ALICE, BOB]));
      const [alice, bob] = await bound(ALICE, BOB);
      let end: string | undefined;
      await alice!.client.call(GROUP, {
        onEnd: (how) => {
          end = how;
        },
      });
      world.directory.follow(GROUP, { unprotected: [element] });
      await until(() => end === "bye");
      expect(world.sessions.groups()).toEqual([]);
      await expect(bob!.client.call(GROUP)).rejects.toThrow(`403 Forbidden, ${code}`);
    },
  );

  it("sends no media to another host than the INVITE came from, unless the configuration allows it", async () => {
    const call = async (config: object) => {
      world = await McxWorld.create(config);
      world.directory.groups.set(GROUP, new Set(NAMES));
      const device = await world.device(ALICE, { mediaHost: "127.0.0.9" });
      await device.client.bind();
      return device.client.call(GROUP);
    };
    await expect(call({})).rejects.toThrow("488 Not Acceptable Here, MEDIA_TARGET");
    expect([world.counts.refused_media_target, world.sessions.groups()]).toEqual([1, []]);
    await world.close();
    await call({ media: { allowedNetworks: ["127.0.0.0/29", "127.0.0.9"] } });
    expect(world.sessions.groups()).toEqual([GROUP]);
  });

  it("ends for a client that vanishes without a BYE, when its session timer ends", async () => {
    world = await McxWorld.create({ sessionTimer: { expires: 3, minimum: 1 } });
    world.directory.groups.set(GROUP, new Set(NAMES));
    const short = { sessionTimer: { expires: 3, minimum: 1 } };
    const [alice, bob] = [await world.device(ALICE, short), await world.device(BOB, short)];
    for (const { client } of [alice, bob]) await client.bind();
    await Promise.all([alice, bob].map(({ client }) => client.call(GROUP)));
    await alice.endpoint.close();
    await until(() => world.sessions.states()[0]!.participants.length === 1);
    expect(world.sessions.states()[0]!.participants).toEqual([BOB]);
    // Twice its time later the other one, who refreshes the call, is still in it.
    await new Promise((resolve) => setTimeout(resolve, 6000));
    expect(world.sessions.states()[0]!.participants).toEqual([BOB]);
  });

  it("ends for a client whose binding ends", async () => {
    world = await McxWorld.create();
    world.directory.groups.set(GROUP, new Set(NAMES));
    const [alice, bob] = await bound(ALICE, BOB);
    const ends: string[] = [];
    await alice!.client.call(GROUP, { onEnd: (end) => ends.push(end) });
    await bob!.client.call(GROUP);
    await alice!.client.close();
    await until(() => ends.length > 0);
    expect(world.sessions.states()[0]!.participants).toEqual([BOB]);
  });

  it("has one client of a user; another one takes its place, and gets its own data", async () => {
    world = await McxWorld.create();
    world.directory.groups.set(GROUP, new Set(NAMES));
    const [alice, bob] = await bound(ALICE, BOB);
    const tablet = await world.device(BOB);
    await tablet.client.bind();
    expect(world.clients.of(BOB)).toHaveLength(2);
    const ends: string[] = [];
    await bob!.client.call(GROUP, { onEnd: (end) => ends.push(end) });
    const [onTablet, atAlice] = [await tablet.client.call(GROUP), await alice!.client.call(GROUP)];
    await until(() => ends.length > 0);
    expect(world.sessions.states()[0]!.participants).toEqual([BOB, ALICE]);
    expect((await takeTurn(atAlice.call, [onTablet.call], 10))[0]!.length).toBeGreaterThan(5);
    // The one that is not in the call goes, and the other one stays in it.
    await bob!.client.close();
    expect(world.clients.of(BOB)).toHaveLength(1);
    expect(world.sessions.states()[0]!.participants).toContain(BOB);
  });

  it("is heard by multicast, with floor control under a MuSiK that each client was sent", async () => {
    const multicast = { firstAddress: "239.255.77.1", port: 41_000 };
    world = await McxWorld.create({ media: { multicast } });
    world.directory.groups.set(GROUP, new Set(NAMES));
    const devices = await bound(ALICE, BOB);
    await until(() => devices.every(({ events }) => events.some(({ type }) => type === "key")));
    await until(() => world.counts.musik_downloaded === 2);
    const [alice, bob] = await Promise.all(devices.map(({ client }) => client.call(GROUP)));
    const [atBob] = await takeTurn(alice!.call, [bob!.call], 20);
    expect(atBob!.length).toBeGreaterThan(15);
    // Each packet is sent to the leg, and again by multicast.
    expect(bob!.call.counters.media.refused.replayed).toBeGreaterThan(15);
    expect(bob!.call.counters.floor.received).toBeGreaterThan(1);
  });

  it("is mixed where the server has the key", async () => {
    world = await McxWorld.create({ speakers: 2 }, true);
    world.directory.groups.set(GROUP, new Set(NAMES));
    const devices = await bound(...NAMES);
    const calls = await Promise.all(devices.map(({ client }) => client.call(GROUP)));
    const [alice, bob, carol] = calls as [McxCall, McxCall, McxCall];
    for (const { call } of [alice, bob]) await takeFloor(call);
    const samples: number[] = [];
    for (let n = 0; n < 40; n++) {
      await alice.call.send(new Int16Array(160).fill(264));
      await bob.call.send(new Int16Array(160).fill(1056));
      await pause(FRAME_MS);
      const frame = carol.call.play();
      if (frame !== undefined) samples.push(frame[0]!);
    }
    expect(samples.filter((sample) => Math.abs(sample - 1320) <= 40).length).toBeGreaterThan(15);
    expect(world.sessions.states()[0]).toMatchObject({ mixed: true, counters: { forwarded: 0 } });
  });
});

describe("short data", () => {
  const hello = [{ contentType: PAYLOAD_CONTENT_TYPES.TEXT, data: utf8("units to the north gate") }];
  const dataOf = ({ events }: Device) => events.filter((event) => event.type === "data");

  it("reaches all other members, under the GMK all the way", async () => {
    world = await McxWorld.create();
    world.directory.groups.set(GROUP, new Set([ALICE, BOB]));
    const [alice, bob, carol] = await bound(...NAMES);
    await alice!.client.send(GROUP, hello);
    await until(() => dataOf(bob!).length > 0);
    expect(dataOf(bob!)).toEqual([
      expect.objectContaining({ groupUri: GROUP, from: ALICE, payloads: hello }),
    ]);
    await until(() => world.counts.mcdata_brought === 1);
    expect([dataOf(alice!), dataOf(carol!)]).toEqual([[], []]);
    await expect(carol!.client.send(GROUP, hello)).rejects.toMatchObject({ status: 403 });
    expect(world.counts).toMatchObject({ mcdata_taken: 1, refused_not_a_member: 1 });
  });

  it("is accepted under a CSK whose upload is not answered yet, and under one replaced in the meantime", async () => {
    world = await McxWorld.create();
    world.directory.groups.set(GROUP, new Set([ALICE, BOB]));
    const [alice] = await bound(ALICE);
    const held: (() => void)[] = [];
    let holds = (_: string) => false;
    const bob = await world.device(BOB, {
      incoming(octets, pass) {
        if (holds(Buffer.from(octets).toString("latin1"))) held.push(pass);
        else pass();
      },
    });
    const release = () => {
      holds = () => false;
      for (const pass of held.splice(0)) pass();
    };
    await bob.client.bind();
    holds = (message) => /^SIP\/2\.0 200[\s\S]*CSeq: \d+ PUBLISH/.test(message);
    const binding = bob.client.bind();
    await until(() => held.length > 0);
    await alice!.client.send(GROUP, hello);
    await until(() => dataOf(bob).length === 1);
    release();
    await binding;
    let first: string | undefined;
    holds = (message) => {
      const id = /^MESSAGE [\s\S]*Call-ID: (\S+)/.exec(message)?.[1];
      first ??= id;
      return id !== undefined && id === first;
    };
    await alice!.client.send(GROUP, hello);
    await until(() => held.length > 0);
    await bob.client.bind();
    await alice!.client.send(GROUP, hello);
    await until(() => dataOf(bob).length === 2);
    release();
    await until(() => dataOf(bob).length === 3);
    expect(bob.events.filter(({ type }) => type === "refused")).toEqual([]);
  });

  it("is refused in clear, and from an unbound client", async () => {
    world = await McxWorld.create();
    world.directory.groups.set(GROUP, new Set([ALICE, BOB]));
    const [bob] = await bound(BOB);
    const info = writeMcdataInfo({ requestType: "group-sds", requestUri: GROUP, callingUser: ALICE });
    const { contentType, body } = writeMultipart([
      { contentType: MEDIA.mcdataInfo, body: utf8(info) },
      { contentType: MCDATA_MEDIA_TYPES.PAYLOAD, body: encodeDataPayload(hello) },
    ]);
    const alice = await world.device(ALICE);
    const send = async (user: string, { endpoint }: Device) => {
      const request = { method: "MESSAGE", uri: world.address, from: user, to: MCX, contentType, body };
      return (await endpoint.request({ ...request, headers: authorised(user) })).status;
    };
    expect(await send(ALICE, alice)).toBe(403);
    expect(await send(BOB, bob!)).toBe(403);
    expect(world.counts).toMatchObject({ refused_not_bound: 1, refused_xml_refused: 1 });
    // Nor does a client accept it from somebody who claims to be the server.
    const response = await alice.endpoint.request({
      method: "MESSAGE",
      uri: world.clients.of(BOB)[0]!.contact,
      from: MCX,
      to: BOB,
      contentType,
      body,
    });
    expect(response.status).toBe(488);
    expect(bob!.events.at(-1)).toMatchObject({ type: "refused" });
  });
});
