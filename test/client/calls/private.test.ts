/** Private calls between two clients alone: set-up, PCK, media and floor control (TS 24.379 11.2, TS 33.180 5.6, 7.4, 9.4.6). */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { defined } from "../../../base/defined.ts";
import { type Core, load } from "../../../bindings/core/core.ts";
import { toHex } from "../../../bindings/index.ts";
import { encodePrivateCallMessage } from "../../../documents/monp/private-call.ts";
import { readCallSdp, writeCallSdp } from "../../../documents/sdp/call.ts";
import {
  type CallEvent,
  OffNetworkPrivateCalls,
  type OffNetworkPrivateCallsOptions,
  type PlacedPrivateCall,
} from "../../../roles/client/calls/index.ts";
import { sealPck } from "../../../roles/client/calls/private-call-key.ts";
import type { ClientKeys } from "../../../roles/identity/index.ts";
import { clientKeysOf } from "../../mcx/signalling/parts.ts";
import { seededRandom } from "../../support/random.ts";
import { HOME_KMS, makeKms, type TestKms } from "../../support/world.ts";
import { Net } from "./medium.ts";
import { ALICE, BOB, CAROL, states } from "./members.ts";
import { say } from "./say.ts";

let core: Core;
let kms: TestKms;
const keys = new Map<string, ClientKeys>();

beforeAll(async () => {
  core = await load();
  kms = makeKms(core, HOME_KMS);
  for (const user of [ALICE, BOB, CAROL]) keys.set(user, clientKeysOf(kms, user));
});

afterAll(() => {
  for (const held of keys.values()) held.destroy();
  core.destroy();
});

interface Client {
  readonly user: string;
  readonly calls: OffNetworkPrivateCalls;
  readonly address: { readonly host: string; readonly port: number };
  readonly events: CallEvent[];
  readonly taken: PlacedPrivateCall[];
  readonly ends: string[];
  readonly callers: string[];
}

type Changes = Partial<Pick<OffNetworkPrivateCallsOptions, "onCall" | "now" | "keys">>;

function client(net: Net, user: string, changes: Changes = {}): Client {
  const host = `192.0.2.${user.charCodeAt(4)}`;
  const signalling = net.open(host);
  const { address } = signalling;
  const made = { user, address, events: [], taken: [], ends: [], callers: [] } as Omit<Client, "calls">;
  const calls = new OffNetworkPrivateCalls({
    userUri: user,
    keys: () => keys.get(user)!,
    signalling,
    openPort: async () => net.open(host),
    onCall: (caller) => {
      made.callers.push(caller);
      return {
        onBegin: (placed) => made.taken.push(placed),
        onEvent: (event) => made.events.push(event),
        onEnd: (end) => made.ends.push(end),
      };
    },
    clock: net.clock,
    now: () => Date.now(),
    random: seededRandom(user),
    ...changes,
  });
  return { ...made, calls };
}

/** Runs the clock until the work is done. */
async function settled<T>(net: Net, work: Promise<T>): Promise<T> {
  let isOver = false;
  const done = () => {
    isOver = true;
  };
  work.then(done, done);
  while (!isOver) {
    await net.clock.pass(10);
    // Key operations finish in between.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return work;
}

async function talk(net: Net, from: PlacedPrivateCall, to: PlacedPrivateCall, frames: number) {
  const [heard] = await say(from.call, [to.call], frames, { pass: (ms) => net.clock.pass(ms) });
  return heard!;
}

describe("a private call without a server", () => {
  it("carries speech both ways, one at a time, and ends for both", async () => {
    const net = new Net("private", { delay: 5 });
    const [alice, bob] = [client(net, ALICE), client(net, BOB)];
    const events: CallEvent[] = [];
    const placed = await settled(
      net,
      alice.calls.call(BOB, bob.address, { onEvent: (event) => events.push(event) }),
    );
    await net.clock.pass(100);
    expect(bob.callers).toEqual([ALICE]);
    const [other] = bob.taken;
    placed.call.request();
    await net.clock.pass(1000);
    expect(placed.call.floor.state).toBe("granted");
    expect(other!.call.floor).toMatchObject({ state: "taken", talker: ALICE });
    const heard = await talk(net, placed, other!, 40);
    expect(heard.length).toBeGreaterThan(30);
    expect(heard).toEqual([...heard].sort((a, b) => a - b));
    expect(other!.call.counters.media).toMatchObject({ received: 40, strangers: 0 });
    expect(bob.events).toContainEqual(expect.objectContaining({ type: "talker", user: ALICE }));
    // Bob waits, and has the floor once she lets it go.
    other!.call.request();
    await net.clock.pass(200);
    expect(other!.call.floor.state).toBe("queued");
    placed.call.release();
    await net.clock.pass(300);
    expect(other!.call.floor.state).toBe("granted");
    expect((await talk(net, other!, placed, 40)).length).toBeGreaterThan(30);
    expect(states(events).at(-1)).toBe("taken b");
    await settled(net, placed.hangUp());
    expect(bob.ends).toEqual(["released"]);
    expect(() => other!.call.request()).toThrow(expect.objectContaining({ code: "CALL_CLOSED" }));
    await settled(net, Promise.all([alice.calls.close(), bob.calls.close()]));
  });

  it("is set up and ended in a network that loses a third of all packets", async () => {
    const net = new Net("lossy", { loss: 33, delay: 5 });
    const [alice, bob] = [client(net, ALICE), client(net, BOB)];
    const placed = await settled(net, alice.calls.call(BOB, bob.address));
    await net.clock.pass(3000);
    expect(bob.taken).toHaveLength(1);
    expect(bob.ends).toEqual([]);
    await settled(net, bob.taken[0]!.hangUp());
    expect(() => placed.call.request()).toThrow(expect.objectContaining({ code: "CALL_CLOSED" }));
    await settled(net, Promise.all([alice.calls.close(), bob.calls.close()]));
  });

  it("is refused by a callee who does not want it, who is in another call, and who is not there", async () => {
    const net = new Net("refusals");
    const [alice, bob, carol] = [
      client(net, ALICE),
      client(net, BOB, { onCall: () => undefined }),
      client(net, CAROL),
    ];
    const refused = { code: "PRIVATE_CALL_REFUSED" };
    await expect(settled(net, alice.calls.call(BOB, bob.address))).rejects.toMatchObject({
      ...refused,
      message: `${BOB}: refuses the call (reject)`,
    });
    await settled(net, carol.calls.call(ALICE, alice.address));
    await expect(settled(net, bob.calls.call(CAROL, carol.address))).rejects.toMatchObject({
      ...refused,
      message: `${CAROL}: refuses the call (busy)`,
    });
    await expect(alice.calls.call(BOB, bob.address)).rejects.toMatchObject({ code: "TOO_MANY_CALLS" });
    const nobody = { host: "192.0.2.200", port: 8809 };
    await expect(settled(net, bob.calls.call(ALICE, nobody))).rejects.toMatchObject({
      code: "PRIVATE_CALL_UNANSWERED",
    });
    await settled(net, Promise.all([alice, bob, carol].map(({ calls }) => calls.close())));
  });

  it.each([
    ["signed by another than the caller", CAROL, 0],
    ["older than five minutes", ALICE, -301_000],
    ["of the future", ALICE, 301_000],
  ])("is refused with a PCK that is %s", async (_, signer, shift) => {
    const net = new Net("forged");
    const bob = client(net, BOB);
    const answers = requests(net);
    // Signs with keys that have sealed nothing later.
    const signing = clientKeysOf(kms, signer);
    const sealed = await sealPck({ uri: BOB }, signing, {
      random: seededRandom("forger"),
      now: Date.now() + shift,
    });
    signing.destroy();
    answers.ask(bob, offerOf(sealed.octets));
    await expect.poll(() => answers.reasons).toEqual([3]);
    expect(bob.callers).toEqual([]);
    await settled(net, bob.calls.close());
  });

  it("is refused when its set-up is repeated after its end, and answered as before while it lasts", async () => {
    const net = new Net("replay");
    const bob = client(net, BOB);
    const answers = requests(net);
    const sealed = await sealPck({ uri: BOB }, keys.get(ALICE)!, {
      random: seededRandom("replayed"),
      now: Date.now(),
    });
    const offer = offerOf(sealed.octets);
    answers.ask(bob, offer);
    await expect.poll(() => answers.names).toContain(10);
    answers.ask(bob, offer);
    await expect.poll(() => answers.names.filter((name) => name === 10).length).toBeGreaterThan(1);
    expect(bob.callers).toEqual([ALICE]);
    // Nobody confirms: the call is given up.
    await net.clock.pass(4000);
    expect(bob.ends).toEqual(["lost"]);
    answers.ask(bob, offer);
    await expect.poll(() => answers.reasons).toEqual([3]);
    expect(bob.callers).toEqual([ALICE]);
    await settled(net, bob.calls.close());
  });

  it("is refused without a key, and with a codec that is not understood", async () => {
    const net = new Net("offers");
    const bob = client(net, BOB);
    const answers = requests(net);
    answers.ask(bob, offerOf(undefined), 1);
    await expect.poll(() => answers.reasons).toEqual([3]);
    const media = { host: "192.0.2.9", port: 5004 };
    const speech = [{ type: 96, encoding: "AMR-WB/16000" }];
    answers.ask(bob, writeCallSdp({ media, floor: { ...media, port: 5005 }, speech }, 1), 2);
    await expect.poll(() => answers.reasons).toEqual([3, 1]);
    await settled(net, bob.calls.close());
  });
});

function offerOf(mikey: Uint8Array | undefined): Uint8Array {
  const media = { host: "192.0.2.9", port: 5004 };
  return writeCallSdp({ media, floor: { ...media, port: 5005 }, ...defined({ mikey }) }, 1);
}

/** Sends messages for Alice that our client would not send, and keeps the answers. */
function requests(net: Net) {
  const port = net.open("192.0.2.9");
  const names: number[] = [];
  const reasons: number[] = [];
  port.receive((octets) => {
    names.push(octets[0]!);
    if (octets[0] === 11) reasons.push(octets[3]!);
  });
  return {
    names,
    reasons,
    ask({ address: to, user }: Client, sdp: Uint8Array, callId = 7) {
      const name = "PRIVATE CALL SETUP REQUEST";
      const request = encodePrivateCallMessage({
        name,
        callId,
        caller: ALICE,
        callee: user,
        manual: false,
        sdp,
      });
      port.send(request, to, () => undefined);
    },
  };
}

describe("the offer of a private call", () => {
  it("carries the I_MESSAGE as RFC 4567 has it, once or as often as it is the same", async () => {
    const { octets } = await sealPck({ uri: BOB }, keys.get(ALICE)!, {
      random: seededRandom("offer"),
      now: Date.now(),
    });
    const offer = new TextDecoder().decode(offerOf(octets));
    const line = offer.split("\r\n").find((one) => one.startsWith("a=key-mgmt:mikey "))!;
    expect(offer.indexOf(line)).toBeLessThan(offer.indexOf("m=audio"));
    const read = (text: string) => readCallSdp(new TextEncoder().encode(text));
    expect(toHex(read(offer).mikey!)).toBe(toHex(octets));
    expect(toHex(read(`${offer}${line}\r\n`).mikey!)).toBe(toHex(octets));
    expect(read(offer.replace("mikey ", "other ")).mikey).toBeUndefined();
    for (const other of ["AAAA", "", "no base64"]) {
      const bad = `${offer}a=key-mgmt:mikey ${other}\r\n`;
      expect(() => read(bad)).toThrow(expect.objectContaining({ code: "BAD_SDP" }));
    }
  });
});
