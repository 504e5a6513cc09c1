/**
 * Limits for what nobody has vouched for yet, of all sockets of a process: connections, unfinished messages, requests
 * whose sender has not been checked. All of it together is bounded, and what has waited longest makes room. An address
 * that takes more than its share makes room first, so that it cannot push out the connections of others.
 */
import { RequestBudget } from "./requests.ts";

export interface AdmissionLimits {
  /** Octets for everything without proof: four fifths for connections and what they have begun, one for requests. */
  readonly octets: number;
  /** Connections of one address, or of one /64 of IPv6, that nobody has vouched for. */
  readonly perAddress: number;
  /** Connections in all, those with proof included. */
  readonly connections: number;
}

export const DEFAULT_ADMISSION: AdmissionLimits = {
  octets: 32 << 20,
  perAddress: 256,
  connections: 25_000,
};

/**
 * Why something was dropped. memory: the octets are used up. address: that address has too many connections.
 * connections: there are too many in all. requests: too many requests are being checked.
 */
export type DropReason = "memory" | "address" | "connections" | "requests";

export interface AdmissionEvents {
  /** More than four fifths of a limit are taken; told again only after it was below three fifths. */
  near?(figures: AdmissionFigures): void;
}

export interface AdmissionFigures {
  /** Connections, those with proof included, and those without. */
  readonly connections: number;
  readonly waitingConnections: number;
  /** Octets of connections without proof, and of what they have begun. */
  readonly waitingOctets: number;
  /** Octets of requests without proof that are being checked, and of answers kept for copies of them. */
  readonly requestOctets: number;
  readonly dropped: ReadonlyMap<DropReason, number>;
}

export interface ConnectionOptions {
  readonly address: string;
  /** Octets of memory that the connection takes before it has sent anything. */
  readonly cost: number;
  /** Ends it, when it has to make room. */
  readonly drop: (reason: DropReason) => void;
  /** Stands for many peers, as a proxy does, so that the limit for its address does not count. */
  readonly shared?: boolean;
}

/** Shares of the octets. */
const CONNECTION_SHARE = 4 / 5;
const NEAR = 4 / 5;
const NEAR_NO_MORE = 3 / 5;

export class Admission {
  readonly limits: AdmissionLimits;
  readonly requests: RequestBudget;
  readonly #events: AdmissionEvents;
  /** In the order in which they came. */
  readonly #waiting = new Set<AdmittedConnection>();
  readonly #networks = new Map<string, Network>();
  /** The network that held most when one last grew: the others are not searched for each connection that goes. */
  #heaviest: Network | undefined;
  readonly #dropped = new Map<DropReason, number>();
  #connections = 0;
  #waitingOctets = 0;
  #isNear = false;

  constructor(limits: Partial<AdmissionLimits> = {}, events: AdmissionEvents = {}) {
    this.limits = { ...DEFAULT_ADMISSION, ...limits };
    this.#events = events;
    this.requests = new RequestBudget(this.limits.octets - this.#connectionOctets, {
      changed: () => this.#look(),
      refused: () => this.#count("requests"),
    });
  }

  /** Octets for connections. */
  get #connectionOctets(): number {
    return Math.floor(CONNECTION_SHARE * this.limits.octets);
  }

  get figures(): AdmissionFigures {
    return {
      connections: this.#connections,
      waitingConnections: this.#waiting.size,
      waitingOctets: this.#waitingOctets,
      requestOctets: this.requests.octets,
      dropped: new Map(this.#dropped),
    };
  }

  /** Returns whether more than four fifths of a limit are taken, and have not fallen below three fifths since. */
  get near(): boolean {
    return this.#isNear;
  }

  /** Takes in a connection. Others may have to make room, or it itself when all others have proof. */
  open(options: ConnectionOptions): AdmittedConnection {
    const connection = new AdmittedConnection(this, options);
    this.#connections++;
    this.#waiting.add(connection);
    this.#waitingOctets += options.cost;
    const network = this.#networks.get(connection.network) ?? { waiting: new Set(), octets: 0 };
    network.waiting.add(connection);
    this.#networks.set(connection.network, network);
    this.#grow(network, options.cost);
    if (options.shared !== true && network.waiting.size > this.limits.perAddress)
      this.#drop(oldestOf(network.waiting), "address");
    if (this.#connections > this.limits.connections) this.#drop(this.#next(), "connections");
    this.#fit();
    return connection;
  }

  /** What a waiting connection takes has changed by so many octets. */
  change(connection: AdmittedConnection, octets: number): void {
    this.#waitingOctets += octets;
    this.#grow(this.#networks.get(connection.network)!, octets);
    this.#fit();
  }

  #grow(network: Network, octets: number): void {
    network.octets += octets;
    if (network.octets > (this.#heaviest?.octets ?? 0)) this.#heaviest = network;
  }

  #fit(): void {
    while (this.#waitingOctets > this.#connectionOctets && this.#waiting.size > 0)
      this.#drop(this.#next(), "memory");
    this.#look();
  }

  /** The connection to drop next: the oldest of the heaviest network, or of all where none holds more than its own. */
  #next(): AdmittedConnection {
    const oldest = oldestOf(this.#waiting);
    const heaviest = this.#heaviest;
    const isHeavier = heaviest !== undefined && heaviest.octets > this.#networks.get(oldest.network)!.octets;
    return isHeavier ? oldestOf(heaviest.waiting) : oldest;
  }

  /** It has proof now, or is gone. */
  settle(connection: AdmittedConnection, octets: number): void {
    if (!this.#waiting.delete(connection)) return;
    this.#waitingOctets -= octets;
    const network = this.#networks.get(connection.network)!;
    network.waiting.delete(connection);
    network.octets -= octets;
    if (network.waiting.size === 0) {
      this.#networks.delete(connection.network);
      if (this.#heaviest === network) this.#heaviest = undefined;
    }
    this.#look();
  }

  gone(): void {
    this.#connections--;
    this.#look();
  }

  #drop(connection: AdmittedConnection, reason: DropReason): void {
    this.#count(reason);
    connection.close();
    connection.dropped(reason);
  }

  #count(reason: DropReason): void {
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + 1);
  }

  #look(): void {
    const used = Math.max(
      this.#waitingOctets / this.#connectionOctets,
      this.requests.octets / this.requests.limit,
      this.#connections / this.limits.connections,
    );
    if (used < NEAR_NO_MORE) this.#isNear = false;
    if (used <= NEAR || this.#isNear) return;
    this.#isNear = true;
    this.#events.near?.(this.figures);
  }
}

/** The unauthenticated connections of one address, or of one /64 of IPv6. */
interface Network {
  /** In the order in which they came. */
  readonly waiting: Set<AdmittedConnection>;
  octets: number;
}

function oldestOf(connections: ReadonlySet<AdmittedConnection>): AdmittedConnection {
  return connections.values().next().value!;
}

/** Returns what one peer has to itself: an IPv4 address, or the /64 of an IPv6 address. */
function networkOf(address: string): string {
  if (!address.includes(":")) return address;
  const [before = "", after = ""] = address.toLowerCase().split("%", 1)[0]!.split("::");
  const [left, right] = [before, after].map((half) => half.split(":").filter((group) => group !== ""));
  const zeros = Array.from({ length: Math.max(0, 8 - left!.length - right!.length) }, () => "0");
  return [...left!, ...zeros, ...right!].slice(0, 4).join(":");
}

export class AdmittedConnection {
  /** The key of the network. Connections of clients behind a proxy have a key apart from connections of the proxy itself. */
  readonly network: string;
  readonly #admission: Admission;
  readonly #options: ConnectionOptions;
  #octets: number;
  #isProven = false;
  #isOpen = true;

  constructor(admission: Admission, options: ConnectionOptions) {
    this.#admission = admission;
    this.#options = options;
    this.network = `${options.shared === true ? "behind " : ""}${networkOf(options.address)}`;
    this.#octets = options.cost;
  }

  /** Its peer has authenticated. */
  get proven(): boolean {
    return this.#isProven;
  }

  /** Tells what unfinished messages on it take now, without the connection itself. */
  hold(octets: number): void {
    if (this.#isProven || !this.#isOpen) return;
    const before = this.#octets;
    this.#octets = this.#options.cost + octets;
    this.#admission.change(this, this.#octets - before);
  }

  vouch(): void {
    if (this.#isProven || !this.#isOpen) return;
    this.#isProven = true;
    this.#admission.settle(this, this.#octets);
  }

  /** It is gone. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#admission.settle(this, this.#octets);
    this.#admission.gone();
  }

  dropped(reason: DropReason): void {
    this.#options.drop(reason);
  }
}
