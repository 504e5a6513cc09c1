/**
 * Floor control messages of one group between server and participants (TS 33.180 9.4): SRTCP under each one's CSK, or, what
 * is for all, once under the MuSiK to a multicast address.
 */
import { encodeFloorMessage, type FloorMessage } from "../../../bindings/floor-control/index.ts";
import type { DeliveredKey, KeyId } from "../../../bindings/index.ts";
import { keyIdFromBytes } from "../../../bindings/index.ts";
import {
  ControlSignalling,
  isServerSsrc,
  type MaybePromise,
  type MediaService,
  type SrtcpSender,
  type UnprotectedRtcp,
} from "../../../bindings/media/index.ts";
import { andThen } from "../../../bindings/media/maybe.ts";
import type { RandomSource } from "../../../bindings/random.ts";
import { addressKey, type DatagramAddress, type DatagramPort } from "../../../transport/datagram/ports.ts";
import type { ControlKeys } from "../../client/mcx/control-keys.ts";
import { InOrder } from "../../client/media/in-order.ts";
import { readFloorMessage } from "../../client/media/read-floor-message.ts";
import type { FloorContent, FloorOutput } from "../floor/state.ts";
import type { ServerSsrcs } from "./server-ssrcs.ts";

/** What all hear at one address. */
export interface FloorMulticast {
  readonly address: DatagramAddress;
  readonly musik: DeliveredKey;
}

export interface FloorChannelOptions {
  readonly port: DatagramPort;
  readonly service: MediaService;
  readonly ssrcs: ServerSsrcs;
  readonly multicast?: FloorMulticast | undefined;
  readonly random: RandomSource;
  readonly onMessage: (user: string, message: FloorMessage) => void;
}

export interface FloorCounters {
  sent: number;
  /** Could not be protected or did not leave. */
  failed: number;
  received: number;
  /** From nobody's address, not decrypted, or no floor control message. */
  refused: number;
  /** Overtaken by a later message. */
  stale: number;
}

/** One way out: a key that may change, and the SSRC of what goes under it. */
interface Way {
  readonly address: DatagramAddress;
  readonly ssrc: number;
  readonly signalling: ControlSignalling;
  readonly sending: () => DeliveredKey | undefined;
  readonly senders: WeakMap<DeliveredKey, MaybePromise<SrtcpSender>>;
}

interface Leg extends Way {
  readonly user: string;
  readonly keys: ControlKeys;
  readonly order: InOrder;
}

export class FloorChannel {
  readonly counters: FloorCounters = { sent: 0, failed: 0, received: 0, refused: 0, stale: 0 };
  readonly #options: FloorChannelOptions;
  readonly #legs = new Map<string, Leg>();
  readonly #byAddress = new Map<string, Leg>();
  readonly #multicast: Way | undefined;

  constructor(options: FloorChannelOptions) {
    this.#options = options;
    const { port, multicast } = options;
    if (multicast !== undefined) {
      const { address, musik } = multicast;
      this.#multicast = this.#way(address, { sending: () => musik, receiving: () => undefined });
    }
    port.receive((packet, from) => this.#receive(packet, from));
  }

  /** A participant, at the address that authorised signalling names. One of before is gone. */
  add(user: string, address: DatagramAddress, keys: ControlKeys): void {
    this.remove(user);
    const leg = { ...this.#way(address, keys), user, keys, order: new InOrder() };
    this.#legs.set(user, leg);
    this.#byAddress.set(addressKey(address), leg);
  }

  remove(user: string): void {
    const leg = this.#legs.get(user);
    if (leg === undefined) return;
    this.#legs.delete(user);
    this.#byAddress.delete(addressKey(leg.address));
  }

  /** Never throws: what did not leave is counted, and asked for again by whom it was for. */
  say(output: FloorOutput): void {
    const { message } = output;
    if ("to" in output) {
      const leg = this.#legs.get(output.to);
      if (leg !== undefined) this.#send(leg, message);
      return;
    }
    if (this.#multicast !== undefined) {
      this.#send(this.#multicast, message);
      return;
    }
    for (const leg of this.#legs.values()) if (leg.user !== output.toAllBut) this.#send(leg, message);
  }

  #way(address: DatagramAddress, keys: ControlKeys): Way {
    const { service, random, ssrcs } = this.#options;
    const sending = () => keys.sending();
    const receiving = (keyId: KeyId) => keys.receiving(keyId);
    const signalling = new ControlSignalling({ sending, receiving, service, random });
    return { address, ssrc: ssrcs.next(), signalling, sending, senders: new WeakMap() };
  }

  #send(way: Way, message: FloorContent): void {
    const fail = () => void this.counters.failed++;
    try {
      const octets = encodeFloorMessage({ ...message, ssrc: way.ssrc });
      const sealed = andThen(senderOf(way), (sender) => sender.protect(octets));
      if (sealed instanceof Promise) sealed.then((packet) => this.#transmit(packet, way.address)).catch(fail);
      else this.#transmit(sealed, way.address);
    } catch {
      fail();
    }
  }

  #transmit(packet: Uint8Array, to: DatagramAddress): void {
    this.#options.port.send(packet, to, (failed) => {
      if (failed) this.counters.failed++;
      else this.counters.sent++;
    });
  }

  #receive(packet: Uint8Array, from: DatagramAddress): void {
    const refuse = () => void this.counters.refused++;
    const leg = this.#byAddress.get(addressKey(from));
    if (leg === undefined) {
      refuse();
      return;
    }
    const result = andThen(leg.signalling.receiver.unprotect(packet), (taken) => {
      if (taken.ok && isUsable(leg, taken)) this.#take(leg, taken);
      else refuse();
    });
    if (result instanceof Promise) result.catch(refuse);
  }

  #take(leg: Leg, taken: UnprotectedRtcp): void {
    const message = readFloorMessage(taken.packet);
    if (message === undefined) {
      this.counters.refused++;
    } else if (leg.order.isNext(InOrder.streamOf(taken), taken.index)) {
      this.counters.received++;
      leg.keys.used?.(keyIdFromBytes(taken.mki));
      this.#options.onMessage(leg.user, message);
    } else this.counters.stale++;
  }
}

/** Of a client, and under a key of his that still holds. */
function isUsable({ keys, signalling }: Leg, { ssrc, mki }: UnprotectedRtcp): boolean {
  if (isServerSsrc(ssrc)) return false;
  if (keys.receiving(keyIdFromBytes(mki)) !== undefined) return true;
  signalling.receiver.prune((other) => keys.receiving(keyIdFromBytes(other)) !== undefined);
  return false;
}

function senderOf({ sending, senders, signalling, ssrc }: Way): MaybePromise<SrtcpSender> {
  const key = sending();
  const known = key && senders.get(key);
  if (known !== undefined) return known;
  const sender = signalling.sender(ssrc);
  senders.set(key!, sender);
  return sender;
}
