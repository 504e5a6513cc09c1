/** Transmission and reception control at the server (TS 24.581 6.3), as participants of any make hear it. */
import { describe, expect, it } from "vitest";
import {
  ControlSignalling,
  drawControlSsrc,
  groupMki,
  type MediaRefusal,
  type SrtcpSender,
  type UnprotectedRtcp,
  writeRtpPacket,
} from "../../../bindings/media/index.ts";
import {
  decodeTransmissionMessage,
  encodeTransmissionMessage,
  RECEPTION_MODES,
  type TransmissionMessage,
} from "../../../bindings/transmission-control/index.ts";
import { GroupSession, ServerSsrcs, type SessionMember } from "../../../roles/mcx/index.ts";
import { Net } from "../../client/calls/medium.ts";
import { Controls, controlKey, GROUP } from "../../client/calls/members.ts";
import { seededRandom } from "../../support/random.ts";

const SERVER = "192.0.2.1";
const [ALICE, BOB, CAROL] = ["alice", "bob", "carol"].map((name) => `sip:${name}@home.example`) as [
  string,
  string,
  string,
];

function world(isReceptionAutomatic: boolean, speakers = 1) {
  const net = new Net("transmission");
  const random = seededRandom("transmission");
  const session = new GroupSession({
    groupUri: GROUP,
    service: "mcvideo",
    mediaPort: net.open(SERVER),
    floorPort: net.open(SERVER),
    voicePort: net.open(SERVER),
    video: { isReceptionAutomatic, packets: { perSecond: 1000, burst: 1000 } },
    floor: { speakers },
    ssrcs: new ServerSsrcs(random),
    clock: net.clock,
    random,
  });
  let members = 0;
  const enter = (user: string, ssrcs?: SessionMember["ssrcs"]) => {
    const number = ++members;
    const host = `198.51.100.${number}`;
    const csk = controlKey("CSK", number);
    const [video, voice, control] = [net.open(host), net.open(host), net.open(host)];
    const signalling = new ControlSignalling({
      sending: () => csk,
      receiving: (id) => (id === csk.keyId ? csk : undefined),
      service: "mcvideo",
    });
    const sender = signalling.sender(drawControlSsrc("client")) as SrtcpSender;
    const told: TransmissionMessage[] = [];
    const heard: string[] = [];
    control.receive((packet) => {
      const taken = signalling.receiver.unprotect(packet) as UnprotectedRtcp | MediaRefusal;
      if (taken.ok) told.push(decodeTransmissionMessage(taken.packet));
    });
    video.receive(() => heard.push("video"));
    voice.receive(() => heard.push("voice"));
    session.join({
      user,
      media: video.address,
      voice: voice.address,
      floor: control.address,
      control: new Controls(csk),
      priority: 255,
      ...(ssrcs && { ssrcs }),
    });
    let sequenceNumber = 0;
    const packet = (ssrc: number) => {
      const fields = { marker: true, payloadType: 98, sequenceNumber: ++sequenceNumber, timestamp: 0, ssrc };
      const out = writeRtpPacket(fields, new Uint8Array(60));
      out.set(groupMki({ gmkId: 1, gukId: number }), out.length - 12);
      return out;
    };
    return {
      heard,
      /** Messages that came, since the last time that this was asked. */
      news: () => told.splice(0).map(({ ssrc: _, ackRequired: __, ...content }) => content),
      names: () => told.splice(0).map(({ name }) => name),
      say(content: Omit<TransmissionMessage, "ssrc">) {
        const octets = encodeTransmissionMessage({ ...content, ssrc: sender.ssrc });
        const to = { host: SERVER, port: session.ports.floor };
        control.send(sender.protect(octets) as Uint8Array, to, () => undefined);
      },
      show: (ssrc: number) =>
        video.send(packet(ssrc), { host: SERVER, port: session.ports.media }, () => undefined),
      speak: (ssrc: number) =>
        voice.send(packet(ssrc), { host: SERVER, port: session.ports.voice! }, () => undefined),
    };
  };
  return { net, session, enter };
}

describe("a transmission", () => {
  it("is granted with the SSRCs that were offered, and the others are told whose it is", () => {
    const { enter } = world(true);
    const [alice, bob] = [enter(ALICE, { video: 11, voice: 12 }), enter(BOB)];
    expect([alice.names(), bob.names()]).toEqual([["Transmission Idle"], ["Transmission Idle"]]);
    alice.say({ name: "Transmission Request", priority: 3 });
    expect(alice.news()).toEqual([
      { name: "Transmission Granted", duration: 30, priority: 3, audioSsrc: 12, videoSsrc: 11 },
    ]);
    expect(bob.news()).toEqual([
      {
        name: "Media Transmission Notification",
        transmitter: ALICE,
        mayRequest: true,
        receptionMode: RECEPTION_MODES.AUTOMATIC,
        audioSsrc: 12,
        videoSsrc: 11,
      },
    ]);
    alice.say({ name: "Transmission End Request" });
    expect(alice.names()).toEqual(["Transmission End Response", "Transmission Idle"]);
    expect(bob.news()).toEqual([
      { name: "Transmission End Notify", transmitter: ALICE, audioSsrc: 12, videoSsrc: 11 },
      { name: "Transmission Idle", sequenceNumber: expect.any(Number) },
    ]);
  });

  it("has another SSRC where the offered one is that of another participant", () => {
    const { enter } = world(true);
    enter(ALICE, { video: 11 });
    const bob = enter(BOB, { video: 11 });
    bob.say({ name: "Transmission Request" });
    const granted = bob.news().find(({ name }) => name === "Transmission Granted")!;
    expect(granted.videoSsrc).not.toBe(11);
    expect(granted.audioSsrc).toEqual(expect.any(Number));
  });

  it("is of video and of the audio beside it, and of nobody who was not granted it", () => {
    const { enter, session } = world(true);
    const [alice, bob] = [enter(ALICE, { video: 11, voice: 12 }), enter(BOB, { video: 21, voice: 22 })];
    alice.show(11);
    expect(bob.heard).toEqual([]);
    alice.say({ name: "Transmission Request" });
    alice.show(11);
    alice.speak(12);
    alice.show(99);
    alice.speak(99);
    bob.show(21);
    expect([alice.heard, bob.heard]).toEqual([[], ["video", "voice"]]);
    expect(session.state.counters).toMatchObject({ forwarded: 2, otherStream: 2, withoutFloor: 2 });
  });

  it("is refused to a single participant, and told its place in the queue", () => {
    const { enter } = world(true);
    const alice = enter(ALICE);
    alice.news();
    alice.say({ name: "Transmission Request" });
    expect(alice.news()).toEqual([{ name: "Transmission Rejected", cause: 3 }]);
    const bob = enter(BOB);
    alice.say({ name: "Transmission Request" });
    bob.say({ name: "Transmission Request", priority: 7 });
    bob.say({ name: "Queue Position Request" });
    const queue = { position: 1, priority: 7 };
    expect(bob.news().slice(-2)).toEqual([
      { name: "Queue Position Info", queue },
      { name: "Queue Position Info", queue },
    ]);
    alice.say({ name: "Queue Position Request" });
    expect(alice.news().at(-1)).toMatchObject({ queue: { position: 254 } });
  });

  it("is taken by an urgent request, with a Transmission Revoked", () => {
    const { enter } = world(true);
    const [alice, bob] = [enter(ALICE), enter(BOB)];
    alice.say({ name: "Transmission Request" });
    alice.news();
    bob.say({ name: "Transmission Request", priority: 210 });
    expect(alice.news()).toEqual([{ name: "Transmission Revoked", cause: 4 }]);
    alice.say({ name: "Transmission End Request" });
    expect(bob.names()).toContain("Transmission Granted");
  });

  it("is acknowledged where the participant asks for that", () => {
    const { enter } = world(true);
    const alice = enter(ALICE);
    enter(BOB);
    alice.news();
    alice.say({ name: "Transmission Request", ackRequired: true });
    expect(alice.news()[0]).toEqual({
      name: "Transmission Control Ack",
      source: 2,
      acknowledged: { app: "MCV0", subtype: 0 },
    });
  });
});

describe("reception", () => {
  it("that is manual begins with a request, and its transmitter is told", () => {
    const { enter } = world(false);
    const [alice, bob, carol] = [enter(ALICE, { video: 11 }), enter(BOB), enter(CAROL)];
    alice.say({ name: "Transmission Request" });
    const [, notified] = bob.news();
    expect(notified).toMatchObject({ transmitter: ALICE, receptionMode: RECEPTION_MODES.MANUAL });
    alice.show(11);
    alice.news();
    bob.say({ name: "Receive Media Request", videoSsrc: 11 });
    expect(bob.news()).toEqual([
      expect.objectContaining({
        name: "Receive Media Response",
        isGranted: true,
        transmitter: ALICE,
        videoSsrc: 11,
      }),
    ]);
    expect(alice.news()).toEqual([
      expect.objectContaining({ name: "Media Reception Notification", userId: BOB }),
    ]);
    alice.show(11);
    expect([bob.heard, carol.heard]).toEqual([["video"], []]);
  });

  it("that is automatic ends at a request, until the next transmission", () => {
    const { enter } = world(true);
    const [alice, bob] = [enter(ALICE, { video: 11 }), enter(BOB)];
    alice.say({ name: "Transmission Request" });
    bob.news();
    bob.say({ name: "Media Reception End Request", transmitter: ALICE });
    expect(bob.names()).toEqual(["Media Reception End Response"]);
    alice.show(11);
    expect(bob.heard).toEqual([]);
    alice.say({ name: "Transmission End Request" });
    alice.say({ name: "Transmission Request" });
    alice.show(11);
    expect(bob.heard).toEqual(["video"]);
  });

  it("of a transmission that does not go on is refused", () => {
    const { enter } = world(false);
    enter(ALICE);
    const bob = enter(BOB);
    bob.news();
    bob.say({ name: "Receive Media Request", transmitter: ALICE });
    expect(bob.news()).toEqual([{ name: "Receive Media Response", isGranted: false, cause: 255 }]);
  });

  it("of an emergency needs no request", () => {
    const { enter } = world(false);
    const [alice, bob] = [enter(ALICE, { video: 11 }), enter(BOB)];
    alice.say({ name: "Transmission Request", indicator: 0x1000 });
    expect(bob.news().at(-1)).toMatchObject({ receptionMode: RECEPTION_MODES.AUTOMATIC, indicator: 0x1000 });
    alice.show(11);
    expect(bob.heard).toEqual(["video"]);
  });
});
