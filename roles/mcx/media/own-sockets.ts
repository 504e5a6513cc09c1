/**
 * The sockets of this server, under every address that leads to them. A leg that pointed to one would have the server send
 * to itself: to another group, to this one, or to its signalling.
 */
import { type NetworkInterfaceInfo, networkInterfaces } from "node:os";
import {
  canonicalAddress,
  canonicalHost,
  isLoopbackHost,
  isUnicast,
} from "../../../transport/datagram/host.ts";
import { type DatagramAddress, type DatagramPort, isConnection } from "../../../transport/datagram/ports.ts";
import { refused } from "../common/errors.ts";

export interface OwnSocketsOptions {
  /** Addresses that clients are told, where these are not the machine's own. */
  readonly advertised?: readonly (string | undefined)[];
  /** Ports besides those of media and floor control: of signalling and of operators. */
  readonly otherPorts?: () => Iterable<number | undefined>;
  /** The machine's interfaces when absent. */
  readonly interfaces?: () => readonly Pick<NetworkInterfaceInfo, "address" | "netmask" | "family">[];
  /** Milliseconds, of a clock that need not be that of the day. */
  readonly now?: () => number;
}

interface LocalHosts {
  readonly hosts: ReadonlySet<string>;
  readonly broadcasts: ReadonlySet<string>;
  readonly at: number;
}

/** Interfaces come and go; asking for them costs more than a packet may. */
const INTERFACES_MS = 5000;

export class OwnSockets {
  readonly #options: OwnSocketsOptions;
  readonly #now: () => number;
  /** Sockets by port, with the address each is bound to. */
  readonly #ports = new Map<number, string[]>();
  #local: LocalHosts | undefined;

  constructor(options: OwnSocketsOptions = {}) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** A socket that is open from now on, until the function that this gives is called. */
  enter({ address: { host, port } }: DatagramPort): () => void {
    this.#ports.set(port, [...(this.#ports.get(port) ?? []), host]);
    return () => {
      const left = this.#ports.get(port) ?? [];
      const at = left.indexOf(host);
      if (at < 0) return;
      const others = left.toSpliced(at, 1);
      if (others.length === 0) this.#ports.delete(port);
      else this.#ports.set(port, others);
    };
  }

  /** Returns whether a packet to or from there would be to or from this server. */
  has({ host, port }: DatagramAddress): boolean {
    const bound = this.#ports.get(port);
    const known = canonicalHost(host) ?? host;
    if (bound !== undefined) return bound.includes(known) || this.#isLocal(known);
    for (const other of this.#options.otherPorts?.() ?? []) if (other === port) return this.#isLocal(known);
    return false;
  }

  /**
   * Returns where a leg's packets may go, in the one spelling of that address.
   *
   * @throws MikeySakkeError usage `BAD_ADDRESS`: no address, not that of one host, or one of this server's sockets
   */
  legAddress(id: string, address: DatagramAddress): DatagramAddress {
    const refuse = (text: string) => {
      const where = `${address.host} port ${address.port}`;
      return refused("BAD_ADDRESS", `leg ${id}: ${where} ${text}`);
    };
    if (isConnection(address)) return address;
    const known = canonicalAddress(address);
    if (known === undefined) throw refuse("is no address");
    if (!isUnicast(known.host) || this.#hosts().broadcasts.has(known.host)) {
      throw refuse("is not the address of one host");
    }
    if (this.has(known)) throw refuse("is a socket of this server");
    return known;
  }

  #isLocal(host: string): boolean {
    return isLoopbackHost(host) || this.#hosts().hosts.has(host);
  }

  #hosts(): LocalHosts {
    const now = this.#now();
    if (this.#local === undefined || now - this.#local.at >= INTERFACES_MS) {
      this.#local = { ...localHosts(this.#options), at: now };
    }
    return this.#local;
  }
}

function localHosts({ advertised = [], interfaces = ofMachine }: OwnSocketsOptions) {
  const hosts = new Set<string>();
  const broadcasts = new Set<string>();
  const enter = (host: string | undefined) => {
    const known = host === undefined ? undefined : canonicalHost(host);
    if (known !== undefined) hosts.add(known);
  };
  for (const host of advertised) enter(host);
  for (const { address, netmask, family } of interfaces()) {
    enter(address);
    const broadcast = family === "IPv4" ? broadcastOf(address, netmask) : undefined;
    if (broadcast !== undefined) broadcasts.add(broadcast);
  }
  return { hosts, broadcasts };
}

function ofMachine(): NetworkInterfaceInfo[] {
  return Object.values(networkInterfaces()).flatMap((list) => list ?? []);
}

/** Undefined where the network is a point-to-point link, which has none (RFC 3021). */
function broadcastOf(address: string, netmask: string): string | undefined {
  const [host, mask] = [address, netmask].map((text) => text.split(".").map(Number));
  if ((mask![3]! & 0xff) >= 0xfe) return undefined;
  return host!.map((octet, i) => octet | (~mask![i]! & 0xff)).join(".");
}
