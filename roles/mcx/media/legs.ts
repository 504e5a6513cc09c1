/**
 * The legs of one group: who gets its media, and at which address. Only addresses that were registered may send, so that
 * nobody can have the server send to others for them.
 *
 * Legs may name one address: which of them a packet from there is of, floor control says, and the address gets each packet
 * once. So nobody takes an address away from another by naming it, nor learns from the answer that it is in use.
 */

import { addressKey, type DatagramAddress, type DatagramPort } from "../../../transport/datagram/ports.ts";
import { refused } from "../common/errors.ts";
import { OwnSockets } from "./own-sockets.ts";

export interface LegsOptions {
  /** Default 1000. */
  readonly maxLegs?: number;
  /** Packets that have not left yet, for each address; one more is dropped. Default 64. */
  readonly maxQueued?: number;
  /** No leg may point to one of them. Default: the port of the legs alone. */
  readonly own?: OwnSockets;
}

export interface Leg {
  readonly id: string;
  readonly address: DatagramAddress;
}

export interface LegCounters {
  /** Packets handed to the network. */
  sent: number;
  /** That the network did not take. */
  failed: number;
  /** That found the queue of their address full. */
  dropped: number;
}

/** An address and those who named it. */
interface Place {
  readonly address: DatagramAddress;
  readonly legs: Set<Leg>;
  queued: number;
}

/** Legs may come, move and go while media flow. */
export class MediaLegs {
  readonly counters: LegCounters = { sent: 0, failed: 0, dropped: 0 };
  readonly #port: DatagramPort;
  readonly #maxLegs: number;
  readonly #maxQueued: number;
  readonly #own: OwnSockets;
  readonly #byId = new Map<string, Leg>();
  readonly #places = new Map<string, Place>();

  constructor(port: DatagramPort, { maxLegs = 1000, maxQueued = 64, own }: LegsOptions = {}) {
    this.#port = port;
    this.#maxLegs = maxLegs;
    this.#maxQueued = maxQueued;
    this.#own = own ?? new OwnSockets();
    if (own === undefined) this.#own.enter(port);
  }

  get size(): number {
    return this.#byId.size;
  }

  /**
   * Adds a leg that the session's signalling has authorised, at the address that it names.
   *
   * @throws MikeySakkeError usage: `LEG_EXISTS`, `BAD_ADDRESS`, `TOO_MANY_LEGS`
   */
  add(id: string, address: DatagramAddress): void {
    if (this.#byId.has(id)) throw refused("LEG_EXISTS", `leg ${id}: there is one`);
    this.#enter(id, this.check(id, address));
  }

  /** The address that a leg would have, added or in place of one with that name. Errors as `add`. */
  check(id: string, address: DatagramAddress): DatagramAddress {
    if (!this.#byId.has(id) && this.#byId.size >= this.#maxLegs) {
      throw refused("TOO_MANY_LEGS", `${this.#maxLegs} legs at most`);
    }
    return this.#own.legAddress(id, address);
  }

  /** Moves a leg to the address that authorised signalling names now. Errors as `add`, and `NO_SUCH_LEG`. */
  move(id: string, address: DatagramAddress): void {
    if (!this.#byId.has(id)) throw refused("NO_SUCH_LEG", `leg ${id}: there is none`);
    const to = this.check(id, address);
    this.remove(id);
    this.#enter(id, to);
  }

  /** False when there was none. */
  remove(id: string): boolean {
    const leg = this.#byId.get(id);
    if (leg === undefined) return false;
    this.#byId.delete(id);
    const key = addressKey(leg.address);
    const place = this.#places.get(key);
    place?.legs.delete(leg);
    if (place?.legs.size === 0) this.#places.delete(key);
    return true;
  }

  /** Legs that named that address; none for a socket of this server. */
  at(address: DatagramAddress): ReadonlySet<Leg> {
    const place = this.#places.get(addressKey(address));
    return place === undefined || this.#own.has(address) ? NOBODY : place.legs;
  }

  /** Returns whether a packet from there would be one of this server's own. */
  isOwn(address: DatagramAddress): boolean {
    return this.#own.has(address);
  }

  ids(): IterableIterator<string> {
    return this.#byId.keys();
  }

  /** Sends to one leg; nothing happens when it is gone. */
  send(id: string, packet: Uint8Array): void {
    const leg = this.#byId.get(id);
    const place = leg && this.#places.get(addressKey(leg.address));
    if (place !== undefined) this.#send(place, packet);
  }

  /** Sends to all addresses but one, once to each; with `gets`, to those where at least one leg gets it. */
  sendToOthers(from: DatagramAddress, packet: Uint8Array, gets?: (id: string) => boolean): void {
    const key = addressKey(from);
    for (const [other, place] of this.#places) {
      if (other === key) continue;
      if (gets === undefined || [...place.legs].some(({ id }) => gets(id))) this.#send(place, packet);
    }
  }

  #send(place: Place, packet: Uint8Array): void {
    if (place.queued >= this.#maxQueued) {
      this.counters.dropped++;
      return;
    }
    place.queued++;
    this.#port.send(packet, place.address, (failed) => {
      place.queued--;
      if (failed) this.counters.failed++;
      else this.counters.sent++;
    });
  }

  #enter(id: string, address: DatagramAddress): void {
    const leg = { id, address };
    const key = addressKey(address);
    const place = this.#places.get(key) ?? { address, legs: new Set(), queued: 0 };
    place.legs.add(leg);
    this.#byId.set(id, leg);
    this.#places.set(key, place);
  }
}

const NOBODY: ReadonlySet<Leg> = new Set();
