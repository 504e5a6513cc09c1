/**
 * The addresses that the floor control of each participant comes from and goes to. The key that opens a message says
 * whose it is; the address is learned from it. What signalling named is where messages go before that, and is nobody's
 * property: an address belongs to the one leg that has sent something authentic from there, and only that leg's going
 * frees it.
 */
import type { KeyId } from "../../../bindings/index.ts";
import { addressKey, type DatagramAddress } from "../../../transport/datagram/ports.ts";
import type { ControlKeys } from "../../call/control-keys.ts";

export interface FloorLeg {
  readonly user: string;
  readonly keys: ControlKeys;
  /**
   * The address to which messages go; undefined: none before the first authentic message, as the named address is
   * another's.
   */
  address: DatagramAddress | undefined;
  /** Something authentic has come from `address`. */
  isProven: boolean;
}

/** Legs that named one address and have not sent yet: each gets its messages there. */
const MAX_UNPROVEN = 4;
/** Clients choose the numbers of their CSKs; so many with one number are tried. */
const MAX_OF_KEY = 8;

export class FloorLegs<L extends FloorLeg> {
  readonly #byUser = new Map<string, L>();
  readonly #byAddress = new Map<string, Set<L>>();
  readonly #byKey = new Map<KeyId, Set<L>>();
  /** Under which numbers a leg is in `#byKey`. */
  readonly #keysOf = new Map<L, Set<KeyId>>();

  add(leg: L): void {
    this.remove(leg.user);
    this.#byUser.set(leg.user, leg);
    this.#keysOf.set(leg, new Set());
    const { address } = leg;
    leg.address = undefined;
    if (address !== undefined && this.#hasRoom(address)) this.#place(leg, address);
    this.usesKey(leg, leg.keys.sending()?.keyId);
  }

  /** False when there was none. Takes away nothing of any other leg. */
  remove(user: string): boolean {
    const leg = this.#byUser.get(user);
    if (leg === undefined) return false;
    this.#byUser.delete(user);
    this.#displace(leg);
    for (const keyId of this.#keysOf.get(leg) ?? []) this.#takeFrom(this.#byKey, keyId, leg);
    this.#keysOf.delete(leg);
    return true;
  }

  of(user: string): L | undefined {
    return this.#byUser.get(user);
  }

  all(): IterableIterator<L> {
    return this.#byUser.values();
  }

  /** The leg sends or receives under that key from now on. */
  usesKey(leg: L, keyId: KeyId | undefined): void {
    const known = this.#keysOf.get(leg);
    if (keyId === undefined || known === undefined || known.has(keyId)) return;
    for (const old of known) {
      if (leg.keys.receiving(old) !== undefined) continue;
      known.delete(old);
      this.#takeFrom(this.#byKey, old, leg);
    }
    known.add(keyId);
    this.#byKey.set(keyId, (this.#byKey.get(keyId) ?? new Set()).add(leg));
  }

  /** Legs whose keys may open a message from that address: the likeliest first, and a bounded number. */
  candidates(keyId: KeyId, from: DatagramAddress): L[] {
    const there = this.#byAddress.get(addressKey(from)) ?? [];
    const found = new Set<L>();
    for (const leg of [...there, ...(this.#byKey.get(keyId) ?? [])]) {
      if (found.size >= MAX_OF_KEY) break;
      if (leg.keys.receiving(keyId) !== undefined) found.add(leg);
    }
    return [...found];
  }

  /** Something authentic and new came from there: the leg's address from now on, unless it is another's. */
  prove(leg: L, from: DatagramAddress): void {
    const key = addressKey(from);
    if (leg.isProven && leg.address !== undefined && addressKey(leg.address) === key) return;
    const there = [...(this.#byAddress.get(key) ?? [])].filter((other) => other !== leg);
    if (there.some(({ isProven }) => isProven)) return;
    for (const other of there) this.#displace(other);
    this.#displace(leg);
    this.#place(leg, from);
    leg.isProven = true;
  }

  #hasRoom(address: DatagramAddress): boolean {
    const there = this.#byAddress.get(addressKey(address));
    if (there === undefined) return true;
    return there.size < MAX_UNPROVEN && ![...there].some(({ isProven }) => isProven);
  }

  #place(leg: L, address: DatagramAddress): void {
    const key = addressKey(address);
    leg.address = address;
    this.#byAddress.set(key, (this.#byAddress.get(key) ?? new Set()).add(leg));
  }

  #displace(leg: L): void {
    if (leg.address !== undefined) this.#takeFrom(this.#byAddress, addressKey(leg.address), leg);
    leg.address = undefined;
    leg.isProven = false;
  }

  #takeFrom<K>(map: Map<K, Set<L>>, key: K, leg: L): void {
    const those = map.get(key);
    those?.delete(leg);
    if (those?.size === 0) map.delete(key);
  }
}
