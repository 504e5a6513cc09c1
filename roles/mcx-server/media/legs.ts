/**
 * The legs of one group: who gets its media, and at which address. Only addresses that were registered may send, so that
 * nobody can have the server send to others for him.
 */
import { MikeySakkeError } from "../../../bindings/errors.ts";
import { addressKey, type DatagramAddress, type DatagramPort } from "../../../transport/datagram/ports.ts";

export interface LegsOptions {
  /** Default 1000. */
  readonly maxLegs?: number;
  /** Packets that have not left yet, for each leg; one more is dropped. Default 64. */
  readonly maxQueued?: number;
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
  /** That found the queue of their leg full. */
  dropped: number;
}

interface HeldLeg extends Leg {
  queued: number;
}

/** Legs may come, move and go while media flow. */
export class MediaLegs {
  readonly counters: LegCounters = { sent: 0, failed: 0, dropped: 0 };
  readonly #port: DatagramPort;
  readonly #maxLegs: number;
  readonly #maxQueued: number;
  readonly #byId = new Map<string, HeldLeg>();
  readonly #byAddress = new Map<string, HeldLeg>();

  constructor(port: DatagramPort, { maxLegs = 1000, maxQueued = 64 }: LegsOptions = {}) {
    this.#port = port;
    this.#maxLegs = maxLegs;
    this.#maxQueued = maxQueued;
  }

  get size(): number {
    return this.#byId.size;
  }

  /**
   * Adds a leg that the session's signalling has authorised, at the address that it names.
   *
   * @throws MikeySakkeError usage: `LEG_EXISTS`, `ADDRESS_IN_USE`, `BAD_ADDRESS`, `TOO_MANY_LEGS`
   */
  add(id: string, address: DatagramAddress): void {
    if (this.#byId.has(id)) throw usage("LEG_EXISTS", `leg ${id}: there is one`);
    if (this.#byId.size >= this.#maxLegs) throw usage("TOO_MANY_LEGS", `${this.#maxLegs} legs at most`);
    this.#enter(id, address);
  }

  /** Moves a leg to the address that authorised signalling names now. Errors as `add`, and `NO_SUCH_LEG`. */
  move(id: string, address: DatagramAddress): void {
    const leg = this.#byId.get(id);
    if (leg === undefined) throw usage("NO_SUCH_LEG", `leg ${id}: there is none`);
    if (addressKey(address) === addressKey(leg.address)) return;
    this.#check(id, address);
    this.remove(id);
    this.#enter(id, address);
  }

  /** False when there was none. */
  remove(id: string): boolean {
    const leg = this.#byId.get(id);
    if (leg === undefined) return false;
    this.#byId.delete(id);
    this.#byAddress.delete(addressKey(leg.address));
    return true;
  }

  /** The leg that sends from there. */
  from(address: DatagramAddress): Leg | undefined {
    return this.#byAddress.get(addressKey(address));
  }

  ids(): IterableIterator<string> {
    return this.#byId.keys();
  }

  /** Sends to one leg; nothing happens when it is gone. */
  send(id: string, packet: Uint8Array): void {
    const leg = this.#byId.get(id);
    if (leg !== undefined) this.#send(leg, packet);
  }

  /** Sends to all legs but one. */
  sendToOthers(id: string | undefined, packet: Uint8Array): void {
    for (const leg of this.#byId.values()) if (leg.id !== id) this.#send(leg, packet);
  }

  #send(leg: HeldLeg, packet: Uint8Array): void {
    if (leg.queued >= this.#maxQueued) {
      this.counters.dropped++;
      return;
    }
    leg.queued++;
    this.#port.send(packet, leg.address, (failed) => {
      leg.queued--;
      if (failed) this.counters.failed++;
      else this.counters.sent++;
    });
  }

  #enter(id: string, address: DatagramAddress): void {
    this.#check(id, address);
    const leg = { id, address, queued: 0 };
    this.#byId.set(id, leg);
    this.#byAddress.set(addressKey(address), leg);
  }

  #check(id: string, address: DatagramAddress): void {
    const { host, port } = address;
    if (!Number.isInteger(port) || port < 1 || port > 0xffff || host === "") {
      throw usage("BAD_ADDRESS", `leg ${id}: ${host} port ${port} is no address`);
    }
    // Its own address would have it send to itself for ever.
    const taken =
      this.#byAddress.has(addressKey(address)) || addressKey(address) === addressKey(this.#port.address);
    if (taken) throw usage("ADDRESS_IN_USE", `leg ${id}: ${host} port ${port} is taken`);
  }
}

function usage(code: string, text: string): MikeySakkeError {
  return new MikeySakkeError("usage", code, text);
}
