/** Clients that have uploaded a CSK (TS 33.180 5.4): where they are, and what is protected with. In memory only. */
import type { DeliveredKey, KeyId } from "../../../bindings/index.ts";
import { PeerXmlKeys } from "../../../transport/signalling-xml/index.ts";
import type { Clock, Flow } from "../../../transport/sip/index.ts";
import type { ControlKeys } from "../../client/mcx/control-keys.ts";

/** As many as of XML: a client that never uses the newest leaves no more. */
const MAX_CSKS = 4;
const SWEEP_MS = 5000;

export class BoundClient implements ControlKeys {
  /** MC service user ID. */
  readonly user: string;
  /** SIP URI that requests go to. */
  readonly contact: string;
  readonly xml: PeerXmlKeys;
  /** The connection that it came on; where it is gone, the contact leads there. */
  flow: Flow;
  expiresAt: number;
  /** Newest first. */
  #csks: DeliveredKey[] = [];

  constructor(user: string, contact: string, flow: Flow, expiresAt: number) {
    this.user = user;
    this.contact = contact;
    this.flow = flow;
    this.expiresAt = expiresAt;
    this.xml = new PeerXmlKeys(user);
  }

  /** A CSK to send under from now on. Those before it are received under until this one is used. */
  add(csk: DeliveredKey): void {
    const others = this.#csks.filter(({ keyId }) => keyId !== csk.keyId);
    this.#keep([csk, ...others].slice(0, MAX_CSKS));
    this.xml.add(csk);
  }

  sending(): DeliveredKey | undefined {
    return this.#csks[0];
  }

  receiving(keyId: KeyId): DeliveredKey | undefined {
    return this.#csks.find((key) => key.keyId === keyId);
  }

  used(keyId: KeyId): void {
    const at = this.#csks.findIndex((key) => key.keyId === keyId);
    if (at >= 0 && at < this.#csks.length - 1) this.#keep(this.#csks.slice(0, at + 1));
    this.xml.confirm(keyId);
  }

  destroy(): void {
    this.#keep([]);
    this.xml.destroy();
  }

  #keep(csks: DeliveredKey[]): void {
    for (const key of this.#csks) if (!csks.includes(key)) key.destroy();
    this.#csks = csks;
  }
}

export class Clients {
  readonly #clock: Clock;
  readonly #gone: (client: BoundClient) => void;
  readonly #byUser = new Map<string, BoundClient>();
  #cancel: (() => void) | undefined;

  /** `gone` is told of each client whose binding is over. */
  constructor(clock: Clock, gone: (client: BoundClient) => void) {
    this.#clock = clock;
    this.#gone = gone;
  }

  get size(): number {
    return this.#byUser.size;
  }

  users(): string[] {
    return [...this.#byUser.keys()];
  }

  all(): IterableIterator<BoundClient> {
    return this.#byUser.values();
  }

  find(user: string): BoundClient | undefined {
    const client = this.#byUser.get(user);
    if (client === undefined || this.#clock.now() < client.expiresAt) return client;
    this.remove(client);
    return undefined;
  }

  /** A user has one client: another one takes the place of the first. */
  enter(client: BoundClient): void {
    const before = this.#byUser.get(client.user);
    if (before !== undefined) this.remove(before);
    this.#byUser.set(client.user, client);
    this.#sweepLater();
  }

  remove(client: BoundClient): void {
    if (this.#byUser.get(client.user) !== client) return;
    this.#byUser.delete(client.user);
    this.#gone(client);
    client.destroy();
  }

  close(): void {
    this.#cancel?.();
    for (const client of this.#byUser.values()) client.destroy();
    this.#byUser.clear();
  }

  #sweepLater(): void {
    this.#cancel ??= this.#clock.after(SWEEP_MS, () => {
      this.#cancel = undefined;
      for (const user of this.users()) this.find(user);
      if (this.#byUser.size > 0) this.#sweepLater();
    });
  }
}
