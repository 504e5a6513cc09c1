/** Private calls by way of the server: the PCK passes unread, floor control is the server's (TS 24.379 11.1.1, TS 33.180 5.6, 7.4, 9.4). */
import { afterEach, describe, expect, it } from "vitest";
import { defined } from "../../../base/defined.ts";
import { systemRandom, toHex, utf8 } from "../../../bindings/index.ts";
import { MEDIA, writeMcpttInfo, writeMultipart } from "../../../documents/group-xml/index.ts";
import { writeCallSdp } from "../../../documents/sdp/call.ts";
import { sealSignalling } from "../../../documents/signalling-xml/index.ts";
import { sealPck } from "../../../roles/client/calls/private-call-key.ts";
import type { McxPrivateCall, OnPrivateCall } from "../../../roles/client/mcx/index.ts";
import { WARNING } from "../../../transport/sip/index.ts";
import { talk } from "./floor.ts";
import { ALICE, BOB, CAROL, type Device, MCX, McxWorld, until } from "./mcx-server.ts";
import { mikeyIn, openAnyPck, pckOf } from "./private-call.ts";

let world: McxWorld;
afterEach(() => world.close());

/** A client that takes calls, and what has become of them. */
class Taker {
  readonly callers: string[] = [];
  readonly taken: McxPrivateCall[] = [];
  readonly ends: string[] = [];
  /** SIP messages that the client got. */
  readonly got: Uint8Array[] = [];
  device!: Device;

  static async bound(user: string, takes = true): Promise<Taker> {
    const taker = new Taker();
    const onPrivateCall: OnPrivateCall = (caller) => {
      taker.callers.push(caller);
      if (!takes) return undefined;
      return { onBegin: (placed) => taker.taken.push(placed), onEnd: (end) => taker.ends.push(end) };
    };
    taker.device = await world.device(user, {
      onPrivateCall,
      incoming: (octets, pass) => {
        taker.got.push(octets.slice());
        pass();
      },
    });
    await taker.device.client.bind();
    return taker;
  }
}

async function bound(user: string, changes: Parameters<McxWorld["device"]>[1] = {}): Promise<Device> {
  const device = await world.device(user, changes);
  await device.client.bind();
  return device;
}

describe("a private call through the server", () => {
  it("carries speech both ways and has one talker at a time", async () => {
    world = await McxWorld.create();
    const alice = await bound(ALICE);
    const bob = await Taker.bound(BOB);
    const ends: string[] = [];
    const placed = await alice.client.callUser(BOB, { onEnd: (how) => ends.push(how) });
    await until(() => bob.taken.length === 1);
    const [taken] = bob.taken;
    expect(bob.callers).toEqual([ALICE]);
    const [heard] = await talk(placed.call, [taken!.call], 25);
    expect(heard!.length).toBeGreaterThan(15);
    expect(heard).toEqual([...heard!].sort((a, b) => a - b));
    expect(taken!.call.floor).toMatchObject({ state: "taken", talker: ALICE });
    taken!.call.request();
    await until(() => taken!.call.floor.state === "queued");
    placed.call.release();
    await until(() => taken!.call.floor.state === "granted");
    expect((await talk(taken!.call, [placed.call], 25))[0]!.length).toBeGreaterThan(15);
    expect(world.privateSessions.totals()).toMatchObject({ forwarded: 50, otherStream: 0 });
    await taken!.hangUp();
    await until(() => ends.length === 1);
    expect(world.privateSessions.size).toBe(0);
    expect(() => placed.call.request()).toThrow(expect.objectContaining({ code: "CALL_CLOSED" }));
  });

  it.each([
    [0, false],
    [1, true],
  ])("offers both sides a queue for the floor where %d requests may wait: %s", async (maxQueue, queues) => {
    world = await McxWorld.create({ floor: { maxQueue } });
    const got: Uint8Array[] = [];
    const alice = await bound(ALICE, {
      incoming: (octets, pass) => {
        got.push(octets.slice());
        pass();
      },
    });
    const bob = await Taker.bound(BOB);
    const placed = await alice.client.callUser(BOB);
    for (const side of [got, bob.got]) {
      const described = side
        .map((octets) => Buffer.from(octets).toString("latin1"))
        .filter((one) => one.includes("m=application"));
      expect(described.map((one) => one.includes("mc_queueing"))).toEqual([queues]);
    }
    await placed.hangUp();
  });

  it("has a key that appears in nothing the server gets, and that the server's keys do not open", async () => {
    world = await McxWorld.create();
    const alice = await bound(ALICE);
    const bob = await Taker.bound(BOB);
    const placed = await alice.client.callUser(BOB);
    await until(() => bob.taken.length === 1);
    const octets = mikeyIn(bob.got);
    const receiver = (user: string) => world.keys(user).receiver;
    for (const user of [MCX, CAROL]) {
      await expect(openAnyPck(octets, receiver(user))).rejects.toMatchObject({ code: "NOT_FOR_ME" });
    }
    const key = await pckOf(octets, receiver(BOB));
    const pck = key.reveal();
    const masters = [0, 1].map((csId) => key.srtpMaster(csId).key);
    for (const secret of [pck, ...masters]) {
      const forms = [toHex(secret), Buffer.from(secret).toString("base64").replace(/=+$/, "")];
      for (const message of [...world.recorded, ...bob.got]) {
        const bytes = Buffer.from(message);
        expect(bytes.includes(Buffer.from(secret))).toBe(false);
        expect(forms.some((form) => bytes.includes(form))).toBe(false);
      }
    }
    // The caller's message, octet by octet.
    expect(toHex(mikeyIn(world.recorded))).toBe(toHex(octets));
    await placed.hangUp();
    await until(() => bob.ends.length === 1);
    expect(bob.ends).toEqual(["bye"]);
  });

  it("is refused for an unbound callee, likewise for an unknown user, and for a call to oneself", async () => {
    world = await McxWorld.create();
    const alice = await bound(ALICE);
    for (const uri of [BOB, "sip:nobody@home.example", ALICE]) {
      await expect(alice.client.callUser(uri)).rejects.toThrow(
        "480 Temporarily Unavailable, CALLEE_NOT_BOUND",
      );
    }
    expect(world.privateSessions.size).toBe(0);
    expect(world.counts).toMatchObject({ refused_callee_not_bound: 3 });
  });

  it("is refused with 486 by a callee who does not want it", async () => {
    world = await McxWorld.create();
    const alice = await bound(ALICE);
    const bob = await Taker.bound(BOB, false);
    await expect(alice.client.callUser(BOB)).rejects.toMatchObject({ code: "MCX_REFUSED", status: 486 });
    expect(bob.callers).toEqual([ALICE]);
    expect(world.privateSessions.size).toBe(0);
  });

  it("is refused with 488 when somebody other than the caller signed the PCK", async () => {
    world = await McxWorld.create();
    let signer = ALICE;
    const alice = await bound(ALICE, { signer: () => signer });
    const bob = await Taker.bound(BOB);
    signer = CAROL;
    await expect(alice.client.callUser(BOB)).rejects.toThrow(
      "488 Not Acceptable Here, 136 authentication of the MIKEY-SAKKE I_MESSAGE failed",
    );
    expect(bob.callers).toEqual([]);
    expect(bob.device.events).toContainEqual(
      expect.objectContaining({
        type: "refused",
        error: expect.objectContaining({ code: "INITIATOR_NOT_AS_ASSERTED" }),
      }),
    );
  });

  it("ends for both when the server removes one of them", async () => {
    world = await McxWorld.create();
    let end: string | undefined;
    const alice = await bound(ALICE);
    const bob = await Taker.bound(BOB);
    const placed = await alice.client.callUser(BOB, {
      onEnd: (how) => {
        end = how;
      },
    });
    world.clients.remove(world.clients.of(BOB)[0]!);
    await until(() => end !== undefined && bob.ends.length === 1);
    expect([end, ...bob.ends]).toEqual(["bye", "bye"]);
    expect(world.privateSessions.size).toBe(0);
    expect(() => placed.call.request()).toThrow(expect.objectContaining({ code: "CALL_CLOSED" }));
  });
});

/** A server that has turned against its clients: it invites Bob in Alice's name. */
async function inviteBob(mikey: Uint8Array | undefined) {
  const [client] = world.clients.of(BOB);
  const media = { host: "127.0.0.1", port: 40_000 };
  const sdp = writeCallSdp({ media, floor: { ...media, port: 40_001 }, ...defined({ mikey }) }, 1);
  const info = writeMcpttInfo({ requestType: "private", requestUri: BOB, callingUser: ALICE });
  const parts = [
    { contentType: MEDIA.mcpttInfo, body: utf8(info) },
    { contentType: MEDIA.sdp, body: sdp },
  ];
  const { response, session } = await world.endpoint.invite({
    uri: client!.contact,
    from: MCX,
    to: BOB,
    ...writeMultipart(await sealSignalling(parts, client!.xml.sending, { random: systemRandom })),
    peer: client!.flow,
  });
  await session?.bye();
  return { status: response.status, warnings: response.headers.all(WARNING).map(({ text }) => text) };
}

describe("a server that invites in a user's name", () => {
  it("gets 488 for an old, a repeated, and a missing I_MESSAGE", async () => {
    world = await McxWorld.create();
    const bob = await Taker.bound(BOB);
    const seal = (now: number) =>
      sealPck({ uri: BOB }, world.keys(ALICE), { random: systemRandom, now }).then(({ octets }) => octets);
    const failed = { status: 488, warnings: ["136 authentication of the MIKEY-SAKKE I_MESSAGE failed"] };
    expect(await inviteBob(await seal(Date.now() - 301_000))).toEqual(failed);
    expect(await inviteBob(undefined)).toEqual({ status: 488, warnings: [] });
    expect(bob.callers).toEqual([]);
    const octets = await seal(Date.now());
    expect(await inviteBob(octets)).toEqual({ status: 200, warnings: [] });
    expect(await inviteBob(octets)).toEqual(failed);
    expect(bob.callers).toEqual([ALICE]);
  });
});
