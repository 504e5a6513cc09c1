/**
 * Receivers that stay: each call of a member has an SSRC of its own, and whoever listens for a year hears all of them.
 * MIKEY_SAKKE_LONG=1 has a million calls of 200 members.
 */
import { expect, it } from "vitest";
import { DeliveredKey } from "../../bindings/index.ts";
import {
  GroupMedia,
  type MediaRefusal,
  type UnprotectedRtp,
  writeRtpPacket,
} from "../../bindings/media/index.ts";
import { g711Codec } from "../../roles/call/speech-codec.ts";
import { Mixer } from "../../roles/mcx/session/mixer.ts";
import { Ring } from "../client/calls/members.ts";
import { VirtualClock } from "../support/clock.ts";
import { seededRandom } from "../support/random.ts";
import { gmkOf } from "./packets.ts";

const LONG = process.env.MIKEY_SAKKE_LONG === "1";
const MEMBERS = LONG ? 200 : 20;
const CALLS = LONG ? 1_000_000 : 12_000;
const SERVER = "sip:mcx@home.example";
const GMK_ID = 0x0123456;
/** Every how many calls one packet is kept, to be sent again. */
const KEEP = Math.ceil(CALLS / 200);

const uris = Array.from({ length: MEMBERS }, (_, i) => `sip:member${i}@home.example`);

function speak(sender: ReturnType<GroupMedia["sender"]>, sequenceNumber: number): Uint8Array {
  const fields = { marker: true, payloadType: 8, sequenceNumber, timestamp: 0, ssrc: sender.ssrc };
  return sender.protect(writeRtpPacket(fields, new Uint8Array(160))) as Uint8Array;
}

it("a receiver and a mixer that run for a year hear every call, and accept no packet of a past call", {
  timeout: LONG ? 3_600_000 : 120_000,
}, async () => {
  const keys = gmkOf(GMK_ID, [...uris, SERVER]);
  const talkers = keys
    .slice(0, MEMBERS)
    .map((key) => new GroupMedia({ keys: new Ring(key), service: "mcptt" }));
  const own = new Ring(keys[MEMBERS]!);
  const end = new GroupMedia({ keys: own, service: "mcptt", maxStreams: LONG ? 4096 : 64 });
  const clock = new VirtualClock();
  const codec = g711Codec("PCMA");
  const mixer = new Mixer({
    keys: own,
    service: "mcptt",
    codec: () => codec,
    participants: () => uris,
    send: () => undefined,
    clock,
    random: seededRandom("years"),
  });
  const past: Uint8Array[] = [];
  let [heard, heardAgain] = [0, 0];
  for (let call = 0; call < CALLS; call++) {
    const member = call % MEMBERS;
    const packet = speak(talkers[member]!.sender(), call & 0x7fff);
    if (((await end.receive(packet)) as UnprotectedRtp | MediaRefusal).ok) heard++;
    mixer.take(uris[member]!, packet);
    if (call % KEEP === 0) past.push(packet);
  }
  for (const packet of past) {
    const taken = (await end.receive(packet)) as UnprotectedRtp | MediaRefusal;
    if (taken.ok) heardAgain++;
    else expect(taken.fault).toBe("replayed");
    mixer.take(uris[0]!, packet);
  }
  expect({ heard, heardAgain }).toEqual({ heard: CALLS, heardAgain: 0 });
  expect(mixer.counters).toMatchObject({ opened: CALLS, refused: past.length });
  mixer.close();
});

it("a member who uses SSRC after SSRC, under GUK-ID after GUK-ID, mutes nobody", async () => {
  const [mallory, alice, bob] = gmkOf(GMK_ID, ["sip:mallory@home.example", "sip:alice@home.example", SERVER]);
  const end = new GroupMedia({ keys: new Ring(bob!), service: "mcptt" });
  const flood = new GroupMedia({ keys: new Ring(mallory!), service: "mcptt" });
  const caller = new GroupMedia({ keys: new Ring(alice!), service: "mcptt" }).sender();
  const early = speak(caller, 1);
  expect(((await end.receive(early)) as UnprotectedRtp).ok).toBe(true);
  for (let n = 0; n < 5000; n++) expect((await end.receive(speak(flood.sender(), 1))).ok).toBe(true);
  const { kind, keyId, rand } = mallory!;
  for (let n = 0; n < 5000; n++) {
    const somebody = new DeliveredKey(mallory!.reveal(), { kind, keyId, ukId: n, rand });
    const sender = new GroupMedia({ keys: new Ring(somebody), service: "mcptt" }).sender();
    expect((await end.receive(speak(sender, 1))).ok).toBe(true);
  }
  for (let n = 2; n < 100; n++) expect(await end.receive(speak(caller, n))).toMatchObject({ ok: true });
  expect(await end.receive(early)).toEqual({ ok: false, fault: "replayed" });
});
