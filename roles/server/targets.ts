/**
 * The addresses that a server sends to because a peer said so: the one that its authenticated signalling came from,
 * those behind a proxy that the configuration trusts, and the networks that it allows. Whoever has a token
 * could otherwise have the server write to any machine that it reaches.
 */
import type { DatagramAddress } from "../../transport/datagram/ports.ts";
import type { Flow, TargetPolicy } from "../../transport/sip/index.ts";
import { Networks, plainAddress } from "./networks.ts";

export interface TargetConfig {
  readonly trustedProxies: readonly string[];
  readonly allowedTargets: readonly string[];
}

/** No receiver has one of these: "this network", multicast, what is reserved, broadcast (RFC 6890). */
const NO_RECEIVER = new Networks(["0.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4", "::/128", "ff00::/8"]);
const LOOPBACK = new Networks(["127.0.0.0/8", "::1/128"]);

export class Targets implements TargetPolicy {
  readonly #proxies: Networks;
  readonly #signalling: Networks;
  readonly #media: Networks;

  constructor({ trustedProxies, allowedTargets }: TargetConfig, mediaNetworks: readonly string[] = []) {
    this.#proxies = new Networks(trustedProxies);
    this.#signalling = new Networks(allowedTargets);
    this.#media = new Networks(mediaNetworks);
  }

  trusts(flow: Flow): boolean {
    return this.#proxies.has(addressOf(flow));
  }

  allows(host: string, flow: Flow): boolean {
    const address = plainAddress(host);
    if (address === undefined || NO_RECEIVER.has(address)) return false;
    if (address === plainAddress(addressOf(flow)) || this.#signalling.has(address)) return true;
    return this.trusts(flow) && this.#proxies.has(address);
  }

  /** Why media may not go there on the word of what came on the flow; undefined: they may. */
  mediaFault({ host }: DatagramAddress, flow: Flow): string | undefined {
    const address = plainAddress(host);
    if (address === undefined) return `${host} is no address`;
    if (NO_RECEIVER.has(address)) return `${host} is the address of no receiver`;
    const source = plainAddress(addressOf(flow));
    if (address === source) return undefined;
    if (LOOPBACK.has(address) && !(source !== undefined && LOOPBACK.has(source))) {
      return `${host} is an address of the server itself`;
    }
    if (this.#media.has(address)) return undefined;
    return `${host} is neither where the request came from nor in media.allowedNetworks`;
  }
}

function addressOf({ address, remote }: Flow): string {
  return address ?? remote.host;
}
