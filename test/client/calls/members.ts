/** Members of a group with keys of their own, and a server that arbitrates and distributes. */
import { decodeFloorMessage, encodeFloorMessage, INDICATORS } from "../../../bindings/floor-control/index.ts";
import { DeliveredKey, type KeyId, systemRandom } from "../../../bindings/index.ts";
import {
  ControlSignalling,
  drawControlSsrc,
  type GroupMediaKeys,
  type SrtcpSender,
} from "../../../bindings/media/index.ts";
import {
  type CallEvent,
  type ControlKeys,
  ControlStreams,
  GroupCall,
  type GroupCallOptions,
} from "../../../roles/client/calls/index.ts";
import {
  DEFAULT_FLOOR_CONFIG,
  EMPTY_FLOOR,
  type FloorConfig,
  type FloorEvent,
  type FloorState,
  floorStep,
  MediaRelay,
} from "../../../roles/mcx/index.ts";
import { addressKey, type DatagramPort } from "../../../transport/datagram/ports.ts";
import { ALICE, BOB, CAROL, GROUP } from "../../support/names.ts";
import { seededRandom } from "../../support/random.ts";
import type { Net } from "./medium.ts";

export { ALICE, BOB, CAROL, GROUP } from "../../support/names.ts";
export const ALL = [ALICE, BOB, CAROL];

/** A key ring of which the test says what is in it: the newest last. */
export class Ring implements GroupMediaKeys {
  held: DeliveredKey[];
  constructor(...held: DeliveredKey[]) {
    this.held = held;
  }
  sending() {
    return this.held.at(-1);
  }
  receiving(gmkId: KeyId) {
    return this.held.find((key) => key.keyId === gmkId);
  }
}

export function controlKey(kind: "CSK" | "MuSiK", low: number): DeliveredKey {
  const keyId = ((kind === "CSK" ? 2 : 6) * 2 ** 28 + low) as KeyId;
  return new DeliveredKey(systemRandom(16), { kind, keyId, ukId: keyId, rand: systemRandom(16) });
}

/** Control keys of a client or a server; the first is used for sending. */
export class Controls implements ControlKeys {
  readonly streams = new ControlStreams();
  held: DeliveredKey[];
  constructor(...held: DeliveredKey[]) {
    this.held = held;
  }
  sending() {
    return this.held[0];
  }
  receiving(keyId: KeyId) {
    return this.held.find((key) => key.keyId === keyId);
  }
}

/** Keys and signalling for messages to one participant, or to all by multicast. */
interface Way {
  readonly key: () => DeliveredKey;
  readonly signalling: ControlSignalling;
}

interface Leg extends Way {
  readonly uri: string;
  readonly floor: DatagramPort["address"];
}

/** Sends each message to each participant under their CSK, or those for all under the MuSiK. */
export class TestServer {
  readonly media: DatagramPort;
  readonly floor: DatagramPort;
  readonly relay: MediaRelay;
  readonly config: FloorConfig;
  state: FloorState = EMPTY_FLOOR;
  /** Messages that came in. */
  readonly log: string[] = [];
  readonly #musik: Way | undefined;
  readonly #senders = new Map<DeliveredKey, SrtcpSender>();
  readonly #multicast = { host: "239.255.0.1", port: 5004 };
  readonly #net: Net;
  readonly #ssrc = drawControlSsrc("server");
  readonly #legs = new Map<string, Leg>();
  #cancel: (() => void) | undefined;

  constructor(net: Net, config: Partial<FloorConfig> = {}, musik?: DeliveredKey) {
    this.#net = net;
    this.config = { ...DEFAULT_FLOOR_CONFIG, ...config };
    this.media = net.open("192.0.2.1");
    this.floor = net.open("192.0.2.1");
    const signalling = new ControlSignalling({
      sending: () => musik,
      receiving: () => undefined,
      service: "mcptt",
    });
    this.#musik = musik && { key: () => musik, signalling };
    this.relay = new MediaRelay({
      port: this.media,
      mayTalk: (uri) => this.state.talks[0]?.user === uri,
      onMedia: (user) => this.step({ type: "media", user }),
    });
    this.floor.receive((packet, from) => void this.#receive(packet, addressKey(from)));
  }

  get multicast() {
    return this.#multicast;
  }

  join(uri: string, media: DatagramPort, floor: DatagramPort, controls: Controls): void {
    const sending = () => controls.sending();
    const receiving = (keyId: KeyId) => controls.receiving(keyId);
    const signalling = new ControlSignalling({ sending, receiving, service: "mcptt" });
    const key = () => controls.sending()!;
    this.#legs.set(addressKey(floor.address), { uri, floor: floor.address, key, signalling });
    this.relay.legs.add(uri, media.address);
    this.step({ type: "join", participant: { id: uri, maxPriority: 255 } });
  }

  step(event: FloorEvent): void {
    const { state, messages } = floorStep(this.state, event, this.#net.clock.now(), this.config);
    this.state = state;
    for (const { message, ...whom } of messages) {
      const octets = encodeFloorMessage({ ...message, ssrc: this.#ssrc });
      if (this.#musik !== undefined && !("to" in whom)) {
        this.#seal(this.#musik, octets, this.#multicast);
        continue;
      }
      for (const leg of this.#legs.values()) {
        const { uri, floor } = leg;
        if ("to" in whom ? uri === whom.to : uri !== whom.toAllBut) this.#seal(leg, octets, floor);
      }
    }
    this.#cancel?.();
    this.#cancel = this.#net.clock.after(500, () => this.step({ type: "time" }));
  }

  stop(): void {
    this.#cancel?.();
  }

  #seal({ key, signalling }: Way, octets: Uint8Array, to: DatagramPort["address"]): void {
    const sender = this.#senders.get(key()) ?? signalling.sender(this.#ssrc);
    if (sender instanceof Promise) throw new Error("the AES of Node.js works at once");
    this.#senders.set(key(), sender);
    this.floor.send(sender.protect(octets) as Uint8Array, to, () => undefined);
  }

  async #receive(packet: Uint8Array, from: string): Promise<void> {
    const leg = this.#legs.get(from);
    const taken = await leg?.signalling.receiver.unprotect(packet);
    if (leg === undefined || !taken?.ok) {
      this.log.push("refused");
      return;
    }
    const message = decodeFloorMessage(taken.packet);
    this.log.push(`${leg.uri.slice(4, 5)} ${message.name}`);
    const { priority = 0, mediaSsrc, indicator } = message;
    const isEmergency = indicator === INDICATORS.EMERGENCY;
    if (message.name === "Floor Request")
      this.step({ type: "request", user: leg.uri, priority, isEmergency, mediaSsrc });
    if (message.name === "Floor Release") this.step({ type: "release", user: leg.uri });
  }
}

export interface Member {
  readonly call: GroupCall;
  readonly events: CallEvent[];
  readonly controls: Controls;
  readonly media: DatagramPort;
  /** Numbers of the frames that the member heard. */
  readonly heard: number[];
}

let hosts = 10;

export function join(
  net: Net,
  server: TestServer,
  userUri: string,
  keys: GroupMediaKeys,
  changes: Partial<GroupCallOptions> = {},
): Member {
  const host = `192.0.2.${hosts++ % 250}`;
  const [media, floor] = [net.open(host), net.open(host)];
  const controls = new Controls(controlKey("CSK", hosts));
  const events: CallEvent[] = [];
  const call = new GroupCall({
    groupUri: GROUP,
    userUri,
    keys,
    mediaPort: media,
    floorPort: floor,
    server: { media: server.media.address, floor: server.floor.address },
    control: controls,
    clock: net.clock,
    now: () => net.clock.now(),
    random: seededRandom(`${userUri} ${hosts}`),
    members: () => ALL,
    onEvent: (event) => events.push(event),
    ...changes,
  });
  server.join(userUri, media, floor, controls);
  return { call, events, controls, media, heard: [] };
}

/** States of the floor that the events told. */
export function states(events: readonly CallEvent[]): string[] {
  return events.flatMap((event) => {
    if (event.type !== "floor") return [];
    const { floor, lost, cause } = event;
    return [
      [floor.state, floor.talker?.slice(4, 5), lost, cause].filter((part) => part !== undefined).join(" "),
    ];
  });
}
