/**
 * Test cases for the floor control and the speech of a client in a group call (TS 24.380 6.2.4, TS 33.180 7.4, 7.5, 9.4).
 * The client, or who holds it, asks for the floor again and again; whether it takes what it hears shows in what it sends:
 * a Floor Release that nobody answers is repeated until others are heard (TS 24.380 11.1.1, T100).
 */
import { pauseOn } from "../../../base/clock.ts";
import { DENY_CAUSES, FLOOR_MESSAGES, REVOKE_CAUSES } from "../../../bindings/floor-control/index.ts";
import { computeGukId } from "../../../bindings/identity/guk-id.ts";
import { formatKeyId } from "../../../bindings/identity/purpose-tag.ts";
import { readGroupMki, type UnprotectedRtp } from "../../../bindings/media/index.ts";
import type { FloorContent } from "../../../roles/call/control-codec.ts";
import { atSameHost } from "../at-same-host.ts";
import { fail, inconclusive, known, must, type TestCase } from "../case.ts";
import { mcxOf } from "./binding-cases.ts";
import type { CheckCall, FloorSeen, SpeechSeen } from "./call.ts";
import { inCall } from "./call-cases.ts";
import type { ClientPeer } from "./peer.ts";

/** Milliseconds in which a client that would talk without the floor has done so. */
const QUIET_MS = 1500;
/** Milliseconds between two Floor Releases, at most: T100 is 1 second where nothing else is configured. */
const REPEAT_MS = 5000;
/** Milliseconds in which packets that were on their way have come. */
const LATE_MS = 500;
/** Seconds for which the floor is given. */
const TALK_SECONDS = 60;
const PACKETS = 10;
const SPOKEN = 25;
/** Packets after which a client that takes them has done so. */
const HEARD = 5;
const FRAME_MS = 20;

const IDLE: FloorContent = { name: "Floor Idle" };
const GRANTED: FloorContent = { name: "Floor Granted", duration: TALK_SECONDS, priority: 0 };

export const FLOOR_CASES: readonly TestCase<ClientPeer>[] = [
  {
    id: "MCC-120",
    title: "asks for the floor, under its CSK",
    clause: "9.4, TS 24.380 6.2.4, 13.1",
    async run(peer) {
      const { floors } = mcxOf(peer);
      await inCall(peer);
      const seen = await peer.next(floors, 0, isNamed("Floor Request"), peer.options.startMs);
      const unread = floors.all.filter(({ message }) => message === undefined).length;
      if (seen === undefined && unread > 0) fail(`${unread} packets came that the CSK does not open`);
      if (seen === undefined) fail("no Floor Request came");
    },
  },
  {
    id: "MCC-121",
    title: "asks again while nobody answers",
    clause: "TS 24.380 6.2.4, 11.1.1 (T101)",
    async run(peer) {
      await request(peer);
      const again = await heard(peer, "Floor Request", REPEAT_MS);
      must(again !== undefined, `no other Floor Request within ${REPEAT_MS / 1000} s`);
    },
  },
  {
    id: "MCC-122",
    title: "does not talk when the floor is granted under another key than its CSK",
    clause: "9.4, RFC 7714 9",
    async run(peer) {
      const call = await request(peer);
      await say(peer, call, GRANTED, "Floor Granted under another key", (one) => call.forged(one));
      await requireSilence(peer, call, "speech came after a Floor Granted that its CSK does not open");
    },
  },
  {
    id: "MCC-123",
    title: "does not talk when the floor is denied",
    clause: "TS 24.380 6.2.4, 8.2.6",
    async run(peer) {
      const call = await request(peer);
      const denied: FloorContent = { name: "Floor Deny", cause: DENY_CAUSES.ANOTHER_HAS_PERMISSION };
      await say(peer, call, denied, "Floor Deny");
      await requireSilence(peer, call, "speech came after a Floor Deny");
    },
  },
  {
    id: "MCC-124",
    title: "talks when the floor is granted",
    clause: "TS 24.380 6.2.4, 8.2.5",
    async run(peer) {
      const call = await talk(peer);
      // The next case is about the end of a talk, and needs another one.
      await revoke(peer, call);
      await say(peer, call, IDLE, "Floor Idle");
    },
  },
  {
    id: "MCC-125",
    title: "acknowledges a Floor Granted that asks for it",
    clause: "TS 24.380 8.2.2, 8.2.13",
    async run(peer) {
      const isOfGranted = ({ message }: FloorSeen) =>
        message?.name === "Floor Ack" && message.acknowledged === FLOOR_MESSAGES["Floor Granted"];
      known(spoken(peer)[0], "MCC-124");
      must((await peer.next(mcxOf(peer).floors, 0, isOfGranted)) !== undefined, "no Floor Ack came");
    },
  },
  {
    id: "MCC-126",
    title: "stops talking when the floor is revoked, and releases it",
    clause: "TS 24.380 6.2.4, 8.2.10",
    async run(peer) {
      const call = await release(peer);
      const { clock } = peer.options;
      const at = clock.now();
      await pauseOn(clock, QUIET_MS);
      const late = spoken(peer).filter((one) => one.at > at + LATE_MS);
      await say(peer, call, IDLE, "Floor Idle");
      must(late.length === 0, `${late.length} packets of speech came after the Floor Release`);
    },
  },
  {
    id: "MCC-127",
    title: "releases the floor again while nobody answers",
    clause: "TS 24.380 6.2.4, 11.1.1 (T100)",
    async run(peer) {
      const call = await release(peer);
      const again = await heard(peer, "Floor Release", REPEAT_MS);
      if (again === undefined && call.isOver) inconclusive("the client has left the call");
      await say(peer, call, IDLE, "Floor Idle");
      must(again !== undefined, `no other Floor Release within ${REPEAT_MS / 1000} s`);
      peer.repeatsRelease = true;
    },
  },
  {
    id: "MCC-128",
    title: "takes no Floor Idle under another key than its CSK",
    clause: "9.4, RFC 7714 9",
    async run(peer) {
      requireRepeating(peer);
      const call = await release(peer);
      await say(peer, call, IDLE, "Floor Idle under another key", (one) => call.forged(one));
      await requireReleased(peer, call, "a Floor Idle that its CSK does not open was taken");
    },
  },
  {
    id: "MCC-129",
    title: "takes no floor message that came before",
    clause: "9.4, RFC 3711 3.3.2",
    async run(peer) {
      requireRepeating(peer);
      const call = await release(peer);
      const packet = await call.sealed(IDLE);
      await pass(peer, call, packet, "Floor Idle");
      // It is free now. What it was told of that is said once more, while it releases the next time.
      await release(peer);
      await pass(peer, call, packet, "the same Floor Idle again");
      await requireReleased(peer, call, "a Floor Idle that came before was taken");
    },
  },
];

export const SPEECH_CASES: readonly TestCase<ClientPeer>[] = [
  {
    id: "MCC-130",
    title: "protects its speech under the GMK of the group",
    clause: "7.4.1, 7.5.1, RFC 7714 8",
    run(peer) {
      const all = spoken(peer);
      known(all[0], "MCC-124");
      const [faulty] = all.filter(({ fault }) => fault !== undefined && fault !== "replayed");
      must(faulty === undefined, `a packet was not taken: ${faulty?.fault}`);
    },
  },
  {
    id: "MCC-131",
    title: "names the GMK and itself in the MKI of its packets",
    clause: "7.4.2, 5.2.3",
    run(peer) {
      const { key, keyId } = known(peer.taken, "MCC-040").gmk;
      const gukId = computeGukId(key, keyId, peer.options.userUri);
      for (const { mki } of packets(peer)) {
        const named = readGroupMki(mki);
        must(named.gmkId === keyId, `the MKI names GMK-ID ${formatKeyId(named.gmkId)}`);
        must(named.gukId === gukId, `the MKI names GUK-ID ${formatKeyId(named.gukId)}, that of another user`);
      }
    },
  },
  {
    id: "MCC-132",
    title: "uses no packet index twice",
    clause: "RFC 3711 9.1, RFC 7714 8.1",
    run(peer) {
      packets(peer);
      const again = spoken(peer).filter(({ fault }) => fault === "replayed").length;
      must(again === 0, `${again} packets had the index of one before`);
    },
  },
  {
    id: "MCC-133",
    title: "speaks in the format of the answer",
    clause: "RFC 3264 6.1, 7",
    run(peer) {
      const { type, encoding } = known(mcxOf(peer).calls.last, "MCC-110").speech;
      const other = packets(peer).find(({ header }) => header.payloadType !== type);
      must(
        other === undefined,
        `payload type ${other?.header.payloadType}, and not ${type} (${encoding}) of the answer`,
      );
    },
  },
  {
    id: "MCC-134",
    title: "takes speech of another for the answer to its Floor Release",
    clause: "TS 24.380 6.2.4, 11.1.1 (T100), TS 33.180 7.5.1",
    async run(peer) {
      requireRepeating(peer);
      const call = await release(peer);
      if (!call.canSpeak) inconclusive("the client offers no G.711, and other speech is not made here");
      const taken = { name: "Floor Taken", grantedParty: another(peer) } as const;
      await speak(peer, call, () => call.speechOfAnother(), "speech of another member");
      const again = await heard(peer, "Floor Release", REPEAT_MS);
      await say(peer, call, taken, "Floor Taken");
      await say(peer, call, IDLE, "Floor Idle");
      if (again !== undefined) inconclusive("it is not seen whether the client hears others");
      peer.showsHearing = true;
    },
  },
  {
    id: "MCC-135",
    title: "does not take packets of speech that came before",
    clause: "7.5.1, RFC 3711 3.3.2",
    async run(peer) {
      requireHearing(peer);
      const call = await release(peer);
      const once = await Promise.all(Array.from({ length: SPOKEN }, () => call.speechOfAnother()));
      await say(peer, call, IDLE, "Floor Idle");
      await speak(peer, call, async (i) => once[i]!, "speech of another member");
      await release(peer);
      const from = await speak(peer, call, async (i) => once[i]!, "the same packets again");
      await requireReleased(peer, call, "packets that came before were taken", from);
    },
  },
  {
    id: "MCC-136",
    title: "does not take speech under another key than the GMK",
    clause: "7.5.1, RFC 7714 8",
    async run(peer) {
      requireHearing(peer);
      const call = await release(peer);
      const from = await speak(peer, call, () => call.forgedSpeech(), "speech under another key");
      await requireReleased(peer, call, "packets that the GMK does not open were taken", from);
    },
  },
];

function isNamed(name: FloorContent["name"]) {
  return ({ message }: FloorSeen) => message?.name === name;
}

/** The next floor message of that name. */
function heard(peer: ClientPeer, name: FloorContent["name"], milliseconds?: number) {
  const { floors } = mcxOf(peer);
  return peer.next(floors, floors.all.length, isNamed(name), milliseconds);
}

/** Waits until the client asks for the floor, in this call or the next. */
async function request(peer: ClientPeer): Promise<CheckCall> {
  await inCall(peer);
  const seen = await heard(peer, "Floor Request");
  return (seen ?? inconclusive("no Floor Request came: push to talk as long as the test goes on")).call;
}

/** Grants the floor until the client talks. */
async function talk(peer: ClientPeer): Promise<CheckCall> {
  const { speeches } = mcxOf(peer);
  const call = await request(peer);
  const from = speeches.all.length;
  await say(peer, call, { ...GRANTED, ackRequired: true }, "Floor Granted");
  const isEnough = () => speeches.all.length >= from + PACKETS;
  if ((await peer.next(speeches, from, isEnough)) === undefined) fail("no speech came");
  return call;
}

/** Grants the floor and takes it away, so that the client releases it; nobody has answered yet. */
async function release(peer: ClientPeer): Promise<CheckCall> {
  const call = await talk(peer);
  if ((await revoke(peer, call)) === undefined) fail("no Floor Release came");
  return call;
}

async function revoke(peer: ClientPeer, call: CheckCall): Promise<FloorSeen | undefined> {
  const released = heard(peer, "Floor Release");
  await say(peer, call, { name: "Floor Revoke", cause: REVOKE_CAUSES.OTHER }, "Floor Revoke");
  return released;
}

/** The client goes on to release the floor, in the messages from `from` on. Then it is told that it is free. */
async function requireReleased(
  peer: ClientPeer,
  call: CheckCall,
  otherwise: string,
  from = mcxOf(peer).floors.all.length,
): Promise<void> {
  const again = await peer.next(mcxOf(peer).floors, from, isNamed("Floor Release"), REPEAT_MS);
  if (again === undefined && call.isOver) inconclusive("the client has left the call");
  await say(peer, call, IDLE, "Floor Idle");
  must(again !== undefined, otherwise);
}

async function requireSilence(peer: ClientPeer, call: CheckCall, otherwise: string): Promise<void> {
  const { speeches } = mcxOf(peer);
  if ((await peer.next(speeches, speeches.all.length, undefined, QUIET_MS)) === undefined) return;
  // The cases after this one need a client that asks for the floor.
  await revoke(peer, call);
  await say(peer, call, IDLE, "Floor Idle");
  fail(otherwise);
}

/** Without this, a Floor Release that does not come again would say nothing of what the client has heard. */
function requireRepeating(peer: ClientPeer): void {
  known(peer.repeatsRelease || undefined, "MCC-127");
}

/** Without this, a Floor Release that comes again would say nothing of what the client has not taken. */
function requireHearing(peer: ClientPeer): void {
  known(peer.showsHearing || undefined, "MCC-134");
}

async function say(
  peer: ClientPeer,
  call: CheckCall,
  content: FloorContent,
  about: string,
  seal = (one: FloorContent) => call.sealed(one),
): Promise<void> {
  await pass(peer, call, await seal(content), about);
}

async function pass(peer: ClientPeer, call: CheckCall, packet: Uint8Array, about: string): Promise<void> {
  peer.transcript.sent(`${about}, ${packet.length} octets`).received = "";
  await call.sendFloor(packet);
}

/** Returns how many floor messages had come when the first packets had been heard. */
async function speak(
  peer: ClientPeer,
  call: CheckCall,
  packetAt: (index: number) => Promise<Uint8Array>,
  about: string,
): Promise<number> {
  peer.transcript.sent(`${about}, ${SPOKEN} packets`).received = "";
  let from = 0;
  for (let i = 0; i < SPOKEN; i++) {
    await call.sendSpeech(await packetAt(i));
    await pauseOn(peer.options.clock, FRAME_MS);
    if (i === HEARD) from = mcxOf(peer).floors.all.length;
  }
  return from;
}

function spoken(peer: ClientPeer): readonly SpeechSeen[] {
  return mcxOf(peer).speeches.all;
}

function packets(peer: ClientPeer): readonly UnprotectedRtp[] {
  const all = spoken(peer).flatMap(({ rtp }) => (rtp === undefined ? [] : [rtp]));
  known(all[0], "MCC-124");
  return all;
}

function another({ options }: ClientPeer): string {
  return atSameHost(options.userUri, "check-member");
}
