/**
 * Floor control or transmission control messages of one call between server and participants (TS 33.180 9.4): SRTCP under each
 * one's CSK, or, what is for all, once under the MuSiK to a multicast address.
 */

import { andThen } from "../../../base/maybe-promise.ts";
import type { RandomSource } from "../../../base/random.ts";
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
import { readKeyId } from "../../../bindings/media/mki.ts";
import { type DatagramAddress, type DatagramPort, isConnection } from "../../../transport/datagram/ports.ts";
import type { ControlCodec, ControlContent, WithSsrc } from "../../call/control-codec.ts";
import type { ControlKeys } from "../../call/control-keys.ts";
import type { IsNext } from "../../call/control-streams.ts";
import { MessageRate, type RateLimit } from "../floor/message-rate.ts";
import type { OwnSockets } from "../media/own-sockets.ts";
import { type FloorLeg, FloorLegs } from "./floor-legs.ts";
import type { ServerSsrcs } from "./server-ssrcs.ts";

/** The floor control that all hear at one address. */
export interface FloorMulticast {
  readonly address: DatagramAddress;
  readonly musik: DeliveredKey;
}

/** A message to one participant, or to all but perhaps one. */
export type ControlOutput<C> =
  | { readonly to: string; readonly message: C }
  | { readonly toAllBut: string | undefined; readonly message: C };

export interface FloorChannelOptions<C extends ControlContent> {
  readonly port: DatagramPort;
  readonly service: MediaService;
  readonly codec: ControlCodec<C>;
  /** Messages for which an acknowledgement may be requested; the others have their own answers. */
  readonly acknowledged: readonly C["name"][];
  readonly ssrcs: ServerSsrcs;
  readonly multicast?: FloorMulticast | undefined;
  /** Nothing is taken from them. */
  readonly own: OwnSockets;
  /** Rate limit for the messages of one participant. */
  readonly rate: RateLimit;
  readonly now: () => number;
  readonly random: RandomSource;
  readonly onMessage: (user: string, message: C & WithSsrc) => void;
}

export interface FloorCounters {
  sent: number;
  /** Could not be protected or did not leave. */
  failed: number;
  received: number;
  /** Under nobody's key, not decrypted, or no message of the codec. */
  refused: number;
  /** Overtaken by a later message, or of another call. */
  stale: number;
  /** More than one participant may send. */
  tooMany: number;
}

/** One way out: a key that may change, and the SSRC of what goes under it. */
interface Way {
  readonly ssrc: number;
  readonly signalling: ControlSignalling;
  readonly sending: () => DeliveredKey | undefined;
  readonly senders: WeakMap<DeliveredKey, MaybePromise<SrtcpSender>>;
}

interface Leg extends Way, FloorLeg {
  readonly isNext: IsNext;
  readonly rate: MessageRate;
}

export class FloorChannel<C extends ControlContent> {
  readonly counters: FloorCounters = { sent: 0, failed: 0, received: 0, refused: 0, stale: 0, tooMany: 0 };
  readonly #options: FloorChannelOptions<C>;
  readonly #legs = new FloorLegs<Leg>();
  readonly #multicast: (Way & { readonly address: DatagramAddress }) | undefined;

  constructor(options: FloorChannelOptions<C>) {
    this.#options = options;
    const { port, multicast } = options;
    if (multicast !== undefined) {
      const { address, musik } = multicast;
      this.#multicast = {
        ...this.#way({ sending: () => musik, receiving: () => undefined }),
        address,
      };
    }
    port.receive((packet, from) => this.#receive(packet, from));
  }

  /** A participant, whose signalling names that address. One of before is gone. */
  add(user: string, address: DatagramAddress, keys: ControlKeys): void {
    const rate = new MessageRate(this.#options.rate);
    const isNext = keys.streams.call();
    this.#legs.add({ ...this.#way(keys), user, keys, isNext, rate, address, isProven: false });
  }

  remove(user: string): void {
    this.#legs.remove(user);
  }

  /** Never throws: a message that could not be sent is counted, and its recipient asks again. */
  say(output: ControlOutput<C>): void {
    const { message } = output;
    if ("to" in output) {
      const leg = this.#legs.of(output.to);
      if (leg !== undefined) this.#sayTo(leg, message);
      return;
    }
    const multicast = this.#multicast;
    if (multicast !== undefined) this.#send(multicast, message, multicast.address);
    for (const leg of this.#legs.all()) {
      // A participant with a connection in place of a socket does not hear the multicast.
      const hearsAll = multicast !== undefined && !(leg.address && isConnection(leg.address));
      if (leg.user !== output.toAllBut && !hearsAll) this.#sayTo(leg, message);
    }
  }

  /** A member who has sent nothing yet is asked for an acknowledgement, which proves their address. */
  #sayTo(leg: Leg, message: C): void {
    if (leg.address === undefined) return;
    this.#legs.usesKey(leg, leg.sending()?.keyId);
    const asks = !leg.isProven && this.#options.acknowledged.includes(message.name);
    this.#send(leg, asks ? { ...message, ackRequired: true } : message, leg.address);
  }

  #way(keys: Pick<ControlKeys, "sending" | "receiving">): Way {
    const { service, random, ssrcs } = this.#options;
    const sending = () => keys.sending();
    const receiving = (keyId: KeyId) => keys.receiving(keyId);
    const signalling = new ControlSignalling({ sending, receiving, service, random });
    return { ssrc: ssrcs.next(), signalling, sending, senders: new WeakMap() };
  }

  #send(way: Way, message: C, to: DatagramAddress): void {
    const fail = () => void this.counters.failed++;
    try {
      const octets = this.#options.codec.encode({ ...message, ssrc: way.ssrc });
      const sealed = andThen(senderOf(way), (sender) => sender.protect(octets));
      if (sealed instanceof Promise) sealed.then((packet) => this.#transmit(packet, to)).catch(fail);
      else this.#transmit(sealed, to);
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
    const keyId = this.#options.own.has(from) ? undefined : readKeyId(packet);
    if (keyId === undefined) {
      refuse();
      return;
    }
    const result = this.#try(packet, from, this.#legs.candidates(keyId, from));
    if (result instanceof Promise) result.catch(refuse);
  }

  /** The first of those whose key opens it. */
  #try(packet: Uint8Array, from: DatagramAddress, [leg, ...others]: readonly Leg[]): MaybePromise<void> {
    if (leg === undefined) {
      this.counters.refused++;
      return;
    }
    return andThen(leg.signalling.receiver.unprotect(packet), (taken) => {
      if (!taken.ok || !isUsable(leg, taken)) return this.#try(packet, from, others);
      this.#take(leg, taken, from);
    });
  }

  #take(leg: Leg, taken: UnprotectedRtcp, from: DatagramAddress): void {
    const message = this.#options.codec.decode(taken.packet);
    if (message === undefined) {
      this.counters.refused++;
      return;
    }
    if (!leg.isNext(taken)) {
      this.counters.stale++;
      return;
    }
    const keyId = keyIdFromBytes(taken.mki);
    leg.keys.used?.(keyId);
    this.#legs.usesKey(leg, keyId);
    this.#legs.prove(leg, from);
    if (!leg.rate.take(this.#options.now())) {
      this.counters.tooMany++;
      return;
    }
    this.counters.received++;
    this.#options.onMessage(leg.user, message);
  }
}

/** Returns whether a message comes from a client, under one of its valid keys. */
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
