/** Requests that were recorded on plain SIP, with their tokens: nobody gets anything by sending them again. */
import { afterEach, describe, expect, it } from "vitest";
import { systemRandom, utf8 } from "../../../bindings/index.ts";
import { MCDATA_ID_BYTES, PAYLOAD_CONTENT_TYPES } from "../../../bindings/mcdata/index.ts";
import { altered, type Change, overTcp, overUdp } from "./attacker.ts";
import { takeFloor } from "./floor.ts";
import { ALICE, BOB, CAROL, type Device, GROUP, McxWorld, NAMES, OTHER, until } from "./mcx-server.ts";

let world: McxWorld;
afterEach(() => world.close());

const EVACUATE = [{ contentType: PAYLOAD_CONTENT_TYPES.TEXT, data: utf8("evacuate now") }];
const FORBIDDEN = "SIP/2.0 403 Forbidden";

const port = () => Number(world.address.split(":").at(-1));
/** Text that no octets of the message change. */
const latin = (message: Uint8Array) => Buffer.from(message).toString("latin1");
const recorded = (method: string) => world.recorded.findLast((one) => latin(one).startsWith(`${method} `))!;
const dataOf = ({ events }: Device) => events.filter(({ type }) => type === "data");

async function bound(...users: string[]): Promise<Device[]> {
  world.directory.groups.set(GROUP, new Set(NAMES));
  const devices = await Promise.all(users.map((user) => world.device(user)));
  await Promise.all(devices.map(({ client }) => client.bind()));
  return devices;
}

const CALL_ID: Change = { headers: { "Call-ID": "another" } };

describe("a recorded MESSAGE", () => {
  it("is refused when it is sent again, whatever its Via and Call-ID", async () => {
    world = await McxWorld.create();
    const [alice, bob] = await bound(ALICE, BOB);
    await alice!.client.send(GROUP, EVACUATE);
    await until(() => dataOf(bob!).length === 1);
    const message = recorded("MESSAGE");
    expect(await overTcp(port(), altered(message))).toBe(FORBIDDEN);
    expect(world.counts.refused_replayed).toBe(1);
    expect(await overTcp(port(), altered(message, CALL_ID))).toBe(FORBIDDEN);
    expect(world.counts.refused_request_changed).toBe(1);
    await alice!.client.send(GROUP, EVACUATE);
    await until(() => dataOf(bob!).length === 2);
    expect(world.counts.mcdata_taken).toBe(2);
  });

  it("is refused with the payload of another MESSAGE", async () => {
    world = await McxWorld.create();
    const [alice] = await bound(ALICE);
    await alice!.client.send(GROUP, EVACUATE);
    const first = latin(recorded("MESSAGE"));
    const type = "application/vnd.3gpp.mcdata-payload";
    const payloadOf = (text: string) => text.slice(text.indexOf(type)).split("\r\n--")[0]!;
    const payload = payloadOf(first);
    await alice!.client.send(GROUP, [
      { contentType: PAYLOAD_CONTENT_TYPES.TEXT, data: utf8("stay there!!") },
    ]);
    const next = recorded("MESSAGE");
    const body = (text: string) => text.replace(payloadOf(text), () => payload);
    expect(latin(altered(next, { body })).length).toBe(latin(altered(next)).length);
    expect(await overTcp(port(), altered(next, { body }))).toBe(FORBIDDEN);
    expect(world.counts).toMatchObject({ refused_request_changed: 1, mcdata_taken: 2 });
  });
});

describe("a repeated message ID", () => {
  it("is delivered once, though the sender seals it anew", async () => {
    world = await McxWorld.create();
    const [bob] = await bound(BOB);
    // A sender who has missed the answer uses the same IDs again, and everything else is new.
    let fixed: Uint8Array[] = [];
    const random = (length: number) =>
      (length === MCDATA_ID_BYTES ? fixed.shift() : undefined) ?? systemRandom(length);
    const alice = await world.device(ALICE, { random });
    await alice.client.bind();
    const send = () => {
      fixed = [new Uint8Array(16).fill(1), new Uint8Array(16).fill(2)];
      return alice.client.send(GROUP, EVACUATE);
    };
    await send();
    await send();
    expect(world.counts).toMatchObject({ mcdata_taken: 1, mcdata_repeated: 1 });
    // Nor does the client give it twice if a server brings it twice.
    world.messages.enter = () => true;
    await send();
    await until(() => world.counts.mcdata_brought === 2);
    expect(dataOf(bob!)).toHaveLength(1);
    await alice.client.send(GROUP, EVACUATE);
    await until(() => dataOf(bob!).length === 2);
  });
});

describe("a recorded INVITE", () => {
  const exchanged = (text: string) => {
    const [, audio, application] = /m=audio (\d+) [\s\S]*m=application (\d+) /.exec(text)!;
    return text
      .replace(`m=audio ${audio}`, `m=audio ${application}`)
      .replace(`m=application ${application}`, `m=application ${audio}`);
  };

  it.each([
    ["as it was", {}, "replayed"],
    ["with another Call-ID", CALL_ID, "request_changed"],
    ["with the ports of media and floor control exchanged", { body: exchanged }, "request_changed"],
    ["with both", { ...CALL_ID, body: exchanged }, "request_changed"],
  ])("sent again %s takes no call over, neither during nor after it", async (_, change: Change, code) => {
    world = await McxWorld.create();
    const [alice, bob] = await bound(ALICE, BOB);
    const ends: string[] = [];
    const heard = await bob!.client.call(GROUP);
    const call = await alice!.client.call(GROUP, { onEnd: (end) => ends.push(end) });
    const invite = recorded("INVITE");
    const again = () => overTcp(port(), altered(invite, change));
    expect(await again()).toBe(FORBIDDEN);
    expect([ends, world.counts[`refused_${code}`]]).toEqual([[], 1]);
    await takeFloor(call.call);
    await Promise.all([call, heard].map((one) => one.hangUp()));
    await until(() => world.sessions.groups().length === 0);
    expect(await again()).toBe(FORBIDDEN);
    expect([world.sessions.groups(), world.counts[`refused_${code}`]]).toEqual([[], 2]);
  });

  it("reveals the tags to nobody else: a BYE without a token from another address is refused", async () => {
    world = await McxWorld.create();
    const [alice, bob] = await bound(ALICE, BOB);
    const ends: string[] = [];
    await bob!.client.call(GROUP);
    const call = await alice!.client.call(GROUP, { onEnd: (end) => ends.push(end) });
    const acks = () => world.recorded.map(latin).filter((text) => /^ACK [\s\S]*From: <sip:alice@/.test(text));
    await until(() => acks().length > 0);
    const bye = acks()[0]!
      .replace(/^ACK /, "BYE ")
      .replace(/(CSeq: \d+) ACK/, "$1 BYE");
    expect(await overUdp(port(), altered(utf8(bye.replace("/TCP", "/UDP"))))).toBe(FORBIDDEN);
    expect(await overTcp(port(), altered(utf8(bye)))).toBe(FORBIDDEN);
    expect([ends, world.sessions.states()[0]!.participants]).toEqual([[], [BOB, ALICE]]);
    await call.hangUp();
    await until(() => world.sessions.states()[0]?.participants.length === 1);
  });
});

describe("an attacker who has only seen a client's token", () => {
  const EVE = "sip:eve@127.0.0.1:9";
  const without: Change = { headers: { "Content-Type": "text/plain" }, body: () => "" };

  it.each([
    ["move its binding", {}],
    ["end it", { Expires: "0" }],
  ])("cannot %s by a PUBLISH on another connection", async (_, headers) => {
    world = await McxWorld.create();
    const [alice, bob] = await bound(ALICE, BOB);
    const ends: string[] = [];
    await alice!.client.call(GROUP, { onEnd: (end) => ends.push(end) });
    const publish = world.recorded.find((one) => latin(one).includes(`From: <${ALICE}>`))!;
    expect(latin(publish)).toMatch(/^PUBLISH /);
    const forged = altered(publish, {
      ...without,
      headers: { ...without.headers, ...headers, "Call-ID": "x" },
    });
    expect(await overTcp(port(), forged)).toBe(FORBIDDEN);
    expect(await overUdp(port(), forged)).toBe(FORBIDDEN);
    expect(world.counts.refused_binding_elsewhere).toBe(2);
    // Nor by the upload of the CSK, with its body.
    expect(await overTcp(port(), altered(publish, { headers }))).toBe(FORBIDDEN);
    expect(world.clients.of(ALICE)).toHaveLength(1);
    await bob!.client.send(GROUP, EVACUATE);
    await until(() => dataOf(alice!).length === 1);
    expect(ends).toEqual([]);
  });

  it("cannot hold a signed PUBLISH back and change its Contact to their own", async () => {
    world = await McxWorld.create();
    const device = await world.device(ALICE, { expires: 1 });
    await device.client.bind();
    await until(() => (world.counts.binding_refreshed ?? 0) > 0);
    const { requests } = world.clients.of(ALICE)[0]!;
    // The server is made to believe that it has not seen the request yet.
    requests.has = () => false;
    const refresh = altered(recorded("PUBLISH"), { headers: { Contact: `<${EVE}>` } });
    expect(await overTcp(port(), refresh)).toBe(FORBIDDEN);
    expect(world.counts.refused_csk_missing).toBeGreaterThan(0);
    expect(world.clients.of(ALICE).map(({ contact }) => contact)).not.toContain(EVE);
  });

  it("cannot replay the signed PUBLISH that refreshed or ended the binding", async () => {
    world = await McxWorld.create();
    const device = await world.device(ALICE, { expires: 1 });
    await device.client.bind();
    await until(() => (world.counts.binding_refreshed ?? 0) > 0);
    const refresh = recorded("PUBLISH");
    expect(await overTcp(port(), altered(refresh, { headers: { Expires: "0" } }))).toBe(FORBIDDEN);
    expect(world.counts.refused_replayed).toBe(1);
    await device.client.close();
    expect(world.clients.size).toBe(0);
    expect(await overTcp(port(), altered(refresh))).toBe(FORBIDDEN);
    expect(world.clients.size).toBe(0);
  });
});

describe("a client whose connection broke", () => {
  it("moves its binding to a new one under its CSK, and is reached there", async () => {
    world = await McxWorld.create();
    const [bob] = await bound(BOB);
    const alice = await world.device(ALICE, { udp: false });
    await alice.client.bind();
    const { flow } = world.clients.of(ALICE)[0]!;
    flow.close();
    await until(() => world.clients.of(ALICE)[0]?.flow !== flow);
    expect(world.counts).toMatchObject({ csk_uploaded: 2, binding_refreshed: 1 });
    await bob!.client.send(GROUP, EVACUATE);
    await until(() => dataOf(alice).length === 1);
  });

  it("uploads a new CSK if the server lost it", async () => {
    world = await McxWorld.create();
    const alice = await world.device(ALICE, { udp: false });
    await alice.client.bind();
    const [client] = world.clients.of(ALICE);
    world.clients.remove(client!);
    client!.flow.close();
    await until(() => alice.events.filter(({ type }) => type === "bound").length === 2);
    expect(world.clients.of(ALICE)).toHaveLength(1);
    expect(world.counts.csk_uploaded).toBe(2);
  });
});

describe("an outsider", () => {
  it("gets the same answer whether the group exists or not: INVITE and MESSAGE", async () => {
    world = await McxWorld.create();
    const [mallory] = await bound(CAROL);
    world.directory.groups.set(GROUP, new Set([ALICE]));
    const errors = await Promise.all(
      [GROUP, OTHER].flatMap((group) => [
        mallory!.client.call(group).catch((error: unknown) => error),
        mallory!.client.send(group, EVACUATE).catch((error: unknown) => error),
      ]),
    );
    const texts = errors.map(String);
    expect(texts[0]).toMatch(/INVITE: 403 Forbidden, NOT_A_MEMBER$/);
    expect(texts[1]).toMatch(/MESSAGE: 403 Forbidden, NOT_A_MEMBER$/);
    expect(texts.slice(2)).toEqual(texts.slice(0, 2));
  });

  it("who guesses group names without end is refused before anybody is asked", async () => {
    world = await McxWorld.create();
    const [mallory] = await bound(CAROL);
    world.directory.groups.set(GROUP, new Set([ALICE]));
    let asked = 0;
    const { member } = world.directory;
    world.directory.member = (group, user) => {
      asked++;
      return member.call(world.directory, group, user);
    };
    const statuses = new Set<string>();
    for (let round = 0; round < 8; round++) {
      const errors = await Promise.all(
        [0, 1, 2, 3, 4].map((n) => mallory!.client.send(n % 2 === 0 ? GROUP : OTHER, EVACUATE).catch(String)),
      );
      for (const error of errors) statuses.add(String(error));
    }
    expect(asked).toBeLessThanOrEqual(34);
    expect([...statuses].map((text) => text.replace(/.*MESSAGE: /, ""))).toEqual([
      "403 Forbidden, NOT_A_MEMBER",
      "503 Service Unavailable, TOO_MANY",
    ]);
  });
});
