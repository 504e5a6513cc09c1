/** Clients that have uploaded a CSK (TS 33.180 5.4): where they are, and what is protected with. In memory only. */
import type { DeliveredKey, KeyId } from "../../../bindings/index.ts";
import { PeerXmlKeys } from "../../../transport/signalling-xml/index.ts";
import type { Clock, Flow } from "../../../transport/sip/index.ts";
import type { ControlKeys } from "../../client/mcx/control-keys.ts";

/** As many as of XML: a client that never uses the newest leaves no more. */
const MAX_CSKS = 4;
const MAX_OF_USER = 8;
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

/** A user may have several, each at a contact of its own. */
export class Clients {
  readonly #clock: Clock;
  readonly #gone: (client: BoundClient) => void;
  readonly #byUser = new Map<string, Map<string, BoundClient>>();
  #size = 0;
  #cancel: (() => void) | undefined;

  /** `gone` is told of each client whose binding is over. */
  constructor(clock: Clock, gone: (client: BoundClient) => void) {
    this.#clock = clock;
    this.#gone = gone;
  }

  get size(): number {
    return this.#size;
  }

  users(): string[] {
    return [...this.#byUser.keys()];
  }

  all(): BoundClient[] {
    return this.users().flatMap((user) => this.of(user));
  }

  /** Those of a user, the one that came last first. */
  of(user: string): BoundClient[] {
    const clients = [...(this.#byUser.get(user)?.values() ?? [])];
    const now = this.#clock.now();
    for (const over of clients.filter(({ expiresAt }) => expiresAt <= now)) this.remove(over);
    return clients.filter(({ expiresAt }) => expiresAt > now).reverse();
  }

  at(user: string, contact: string): BoundClient | undefined {
    return this.of(user).find((client) => client.contact === contact);
  }

  has(client: BoundClient): boolean {
    return this.at(client.user, client.contact) === client;
  }

  /** One more of a user than there may be takes the place of the oldest. */
  enter(client: BoundClient): void {
    const others = this.of(client.user);
    for (const oldest of others.slice(MAX_OF_USER - 1)) this.remove(oldest);
    const there = this.#byUser.get(client.user) ?? new Map<string, BoundClient>();
    this.#byUser.set(client.user, there.set(client.contact, client));
    this.#size++;
    this.#sweepLater();
  }

  remove(client: BoundClient): void {
    const there = this.#byUser.get(client.user);
    if (there?.get(client.contact) !== client) return;
    there.delete(client.contact);
    if (there.size === 0) this.#byUser.delete(client.user);
    this.#size--;
    this.#gone(client);
    client.destroy();
  }

  close(): void {
    this.#cancel?.();
    for (const client of this.all()) client.destroy();
    this.#byUser.clear();
    this.#size = 0;
  }

  #sweepLater(): void {
    this.#cancel ??= this.#clock.after(SWEEP_MS, () => {
      this.#cancel = undefined;
      for (const user of this.users()) this.of(user);
      if (this.#size > 0) this.#sweepLater();
    });
  }
}
