/** The call of a group at the server, on a network in memory: its members, and those who keep to no procedure. */
import { defined } from "../../../base/defined.ts";
import {
  decodeFloorMessage,
  encodeFloorMessage,
  type FloorMessage,
} from "../../../bindings/floor-control/index.ts";
import type { DeliveredKey } from "../../../bindings/index.ts";
import {
  ControlSignalling,
  drawControlSsrc,
  type GroupMediaKeys,
  type MediaRefusal,
  type SrtcpSender,
  type UnprotectedRtcp,
} from "../../../bindings/media/index.ts";
import type { CallEvent } from "../../../roles/client/calls/index.ts";
import { GroupCall } from "../../../roles/client/calls/index.ts";
import {
  type FloorConfig,
  GroupSession,
  type OwnSockets,
  type RateLimit,
  ServerSsrcs,
  type SessionMember,
} from "../../../roles/mcx/index.ts";
import type { DatagramPort } from "../../../transport/datagram/ports.ts";
import { Net } from "../../client/calls/medium.ts";
import { ALL, Controls, controlKey, GROUP } from "../../client/calls/members.ts";
import { say } from "../../client/calls/say.ts";
import { seededRandom } from "../../support/random.ts";

export const SERVER = "192.0.2.1";
export const MIXER = "sip:mcx@home.example";
export const GMK_ID = 0x0abcdef;

export interface Options {
  readonly onHang?: () => void;
  readonly onEmergency?: (user: string) => void;
  readonly onTalkers?: (users: readonly string[]) => void;
  readonly floor?: Partial<FloorConfig>;
  readonly keys?: () => GroupMediaKeys | undefined;
  readonly musik?: ReturnType<typeof controlKey>;
  /** A network that other sessions use too. */
  readonly net?: Net;
  readonly own?: OwnSockets;
  readonly messageRate?: RateLimit;
}

export function world(seed: string, options: Options = {}) {
  const { floor, keys, musik, own, messageRate, onHang, onEmergency, onTalkers } = options;
  const { net = new Net(seed, { delay: 5 }) } = options;
  const random = seededRandom(`server ${seed}`);
  const [media, control] = [
    { host: "239.255.0.1", port: 5004 },
    { host: "239.255.0.1", port: 5005 },
  ];
  const floorPort = net.open(SERVER);
  const session = new GroupSession({
    groupUri: GROUP,
    mediaPort: net.open(SERVER),
    floorPort,
    ...(musik && { multicast: { media, floor: { address: control, musik } } }),
    ...defined({ floor, keys, own, messageRate, onHang, onEmergency, onTalkers }),
    ssrcs: new ServerSsrcs(random),
    clock: net.clock,
    random,
  });
  const members = new Map<string, unknown>();
  const enter = (
    user: string,
    groupKeys: GroupMediaKeys,
    more: { mixer?: string; control?: Controls } = {},
  ) => {
    const host = `192.0.2.${100 + members.size}`;
    const [mediaPort, ownFloorPort] = [net.open(host), net.open(host)];
    const csk = more.control?.held[0] ?? controlKey("CSK", 1000 + members.size);
    const events: CallEvent[] = [];
    const call = new GroupCall({
      groupUri: GROUP,
      userUri: user,
      keys: groupKeys,
      mediaPort,
      floorPort: ownFloorPort,
      server: {
        media: { host: SERVER, port: session.ports.media },
        floor: { host: SERVER, port: session.ports.floor },
      },
      ...(musik && { multicast: { media: net.open(host, media), floor: net.open(host, control) } }),
      control: new Controls(csk, ...(musik ? [musik] : [])),
      floor: { multiTalker: (floor?.speakers ?? 1) > 1 },
      clock: net.clock,
      now: () => net.clock.now(),
      random: seededRandom(`${user} ${seed}`),
      members: () => ALL,
      onEvent: (event) => events.push(event),
      ...more,
    });
    const control_ = new Controls(csk);
    session.join({
      user,
      media: mediaPort.address,
      floor: ownFloorPort.address,
      control: control_,
      priority: 255,
    });
    const addresses = { media: mediaPort.address, floor: ownFloorPort.address };
    const member = { call, events, control: control_, ...addresses };
    members.set(user, member);
    return member;
  };
  /** Somebody who sends what they like from where they like, and whose signalling names whatever address they like. */
  const enterAs = (
    user: string,
    named: Partial<Pick<SessionMember, "media" | "floor">> = {},
    control = new Controls(controlKey("CSK", 5000 + members.size)),
  ) => {
    const host = `198.51.100.${100 + members.size}`;
    const [media, floor] = [net.open(host), net.open(host)];
    session.join({ user, media: media.address, floor: floor.address, control, priority: 255, ...named });
    const raw = new RawMember(control.held[0]!, media, floor, session.ports);
    members.set(user, raw);
    return raw;
  };
  return { net, session, floorPort, enter, enterAs };
}

/** Speaks floor control under a CSK, and RTP, without any of the procedures of a client. */
export class RawMember {
  readonly media: DatagramPort;
  readonly floor: DatagramPort;
  /** Floor control messages that came, and media packets. */
  readonly told: FloorMessage[] = [];
  readonly heard: Uint8Array[] = [];
  readonly #signalling: ControlSignalling;
  readonly #sender: SrtcpSender;
  readonly #to: { readonly media: number; readonly floor: number };

  constructor(
    csk: DeliveredKey,
    media: DatagramPort,
    floor: DatagramPort,
    to: { readonly media: number; readonly floor: number },
  ) {
    this.media = media;
    this.floor = floor;
    this.#to = to;
    this.#signalling = new ControlSignalling({
      sending: () => csk,
      receiving: (id) => (id === csk.keyId ? csk : undefined),
      service: "mcptt",
    });
    this.#sender = this.#signalling.sender(drawControlSsrc("client")) as SrtcpSender;
    media.receive((packet) => this.heard.push(packet));
    floor.receive((packet) => {
      const taken = this.#signalling.receiver.unprotect(packet) as UnprotectedRtcp | MediaRefusal;
      if (taken.ok) this.told.push(decodeFloorMessage(taken.packet));
    });
  }

  /** Names of the messages that came, since the last time that this was asked. */
  news(): string[] {
    return this.told.splice(0).map(({ name }) => name);
  }

  say(content: Omit<FloorMessage, "ssrc">, from = this.floor): void {
    const octets = encodeFloorMessage({ ...content, ssrc: this.#sender.ssrc });
    const packet = this.#sender.protect(octets) as Uint8Array;
    from.send(packet, { host: SERVER, port: this.#to.floor }, () => undefined);
  }

  speak(packet: Uint8Array, from = this.media): void {
    from.send(packet, { host: SERVER, port: this.#to.media }, () => undefined);
  }
}

export interface Member {
  readonly call: GroupCall;
  readonly events: CallEvent[];
  readonly control: Controls;
  readonly media: { host: string; port: number };
  readonly floor: { host: string; port: number };
}

export function burst(net: Net, talker: Member, listeners: readonly Member[], frames: number) {
  const calls = listeners.map(({ call }) => call);
  return say(talker.call, calls, frames, { pass: (milliseconds) => net.clock.pass(milliseconds), tail: 20 });
}
