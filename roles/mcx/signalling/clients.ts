/** Clients that have uploaded a CSK (TS 33.180 5.4): where they are, and what is protected with. In memory only. */
import { DEFAULT_WINDOW_MS, type DeliveredKey, type KeyId } from "../../../bindings/index.ts";
import { PeerXmlKeys } from "../../../documents/signalling-xml/index.ts";
import { type Clock, type Flow, isSameUri, uriKey } from "../../../transport/sip/index.ts";
import type { ControlKeys } from "../../call/control-keys.ts";
import { ControlStreams } from "../../call/control-streams.ts";
import { Recent } from "../../call/recent.ts";

/** As many as of XML: a client that never uses the newest leaves no more. */
const MAX_CSKS = 4;
const MAX_OF_USER = 8;
const SWEEP_MS = 5000;
/** Requests of a client for as long as their time may pass, to either side: one a second. */
const REQUESTS = { most: 600, keep: 2 * DEFAULT_WINDOW_MS };

export class BoundClient implements ControlKeys {
  /** MC service user ID. */
  readonly user: string;
  /** URI that requests go to: of its Contact, or the IMS identity that was asserted without one. */
  readonly contact: string;
  /** IMS public user identities that it is bound to; none where no trusted proxy asserts any. See `Clients.place`. */
  asserted: readonly string[] = [];
  readonly xml: PeerXmlKeys;
  readonly streams = new ControlStreams();
  /** Signatures that have been seen. */
  readonly requests = new Recent(REQUESTS);
  /** The flow of the request that bound it, or moved it under its CSK. See `Clients.place`. */
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

  /** Returns whether one of these is an IMS identity of the client. */
  isOf(asserted: readonly string[]): boolean {
    return this.asserted.some((own) => asserted.some((uri) => isSameUri(own, uri)));
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
  readonly #byAsserted = new Map<string, Set<BoundClient>>();
  readonly #byFlow = new WeakMap<Flow, Set<BoundClient>>();
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

  /** Clients of a user, the latest first. */
  of(user: string): BoundClient[] {
    const clients = [...(this.#byUser.get(user)?.values() ?? [])];
    const now = this.#clock.now();
    for (const over of clients.filter(({ expiresAt }) => expiresAt <= now)) this.remove(over);
    return clients.filter(({ expiresAt }) => expiresAt > now).reverse();
  }

  at(user: string, contact: string): BoundClient | undefined {
    return this.of(user).find((client) => client.contact === contact);
  }

  /** Clients bound to one of these IMS identities, the latest first. */
  asserted(identities: readonly string[]): BoundClient[] {
    const found = identities.flatMap((uri) => [...(this.#byAsserted.get(uriKey(uri)) ?? [])]);
    return [...new Set(found)].reverse().filter((client) => client.isOf(identities) && this.has(client));
  }

  /** Clients whose binding came on that connection. */
  on(flow: Flow): BoundClient[] {
    return [...(this.#byFlow.get(flow) ?? [])].filter((client) => this.has(client));
  }

  /** Records where a client is now, and what the IMS knows it by. */
  place(client: BoundClient, flow: Flow, asserted: readonly string[]): void {
    this.#displace(client);
    client.flow = flow;
    client.asserted = asserted;
    for (const key of asserted.map(uriKey)) {
      this.#byAsserted.set(key, (this.#byAsserted.get(key) ?? new Set()).add(client));
    }
    this.#byFlow.set(flow, (this.#byFlow.get(flow) ?? new Set()).add(client));
  }

  #displace(client: BoundClient): void {
    this.#byFlow.get(client.flow)?.delete(client);
    for (const key of client.asserted.map(uriKey)) {
      const there = this.#byAsserted.get(key);
      there?.delete(client);
      if (there?.size === 0) this.#byAsserted.delete(key);
    }
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
    this.#displace(client);
    this.#gone(client);
    client.destroy();
  }

  close(): void {
    this.#cancel?.();
    for (const client of this.all()) client.destroy();
    this.#byUser.clear();
    this.#byAsserted.clear();
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
