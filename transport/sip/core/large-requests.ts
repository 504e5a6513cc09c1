/**
 * Requests that are too large for a datagram go by TCP, and by UDP to a peer that has no TCP (RFC 3261 18.1.1). A port
 * that drops what comes to it, as behind a firewall, says neither yes nor no: it gets a second, and is remembered.
 */

import { type Clock, orLate } from "../../../base/clock.ts";
import type { Flow, HostPort, SipTransport } from "../socket/ports.ts";

/** 18.1.1: larger requests need a transport that controls congestion, where the path MTU is not known. */
const LARGEST_DATAGRAM_REQUEST = 1300;
/** The octets of the Via that the request will have. */
const VIA_OCTETS = 100;
/** Milliseconds: with a round trip of half a second there is a connection. */
const PATIENCE = 1000;
const REMEMBERED = 300_000;
/** Peers that are remembered, some 100 octets each. */
const MOST_REMEMBERED = 10_000;

export class LargeRequests {
  readonly #clock: Clock;
  /** Until when no connection is tried, the oldest first. */
  readonly #silent = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  static has(octets: number): boolean {
    return octets + VIA_OCTETS > LARGEST_DATAGRAM_REQUEST;
  }

  /** Undefined: UDP has to do. */
  async connect(tcp: SipTransport, remote: HostPort): Promise<Flow | undefined> {
    const peer = `${remote.host.toLowerCase()} ${remote.port}`;
    if ((this.#silent.get(peer) ?? 0) > this.#clock.now()) return undefined;
    const connecting = tcp.connect(remote).then(
      (flow) => {
        this.#silent.delete(peer);
        return { flow };
      },
      () => ({ flow: undefined }),
    );
    const answer = await orLate(connecting, this.#clock, PATIENCE);
    if (answer === undefined) this.#remember(peer);
    return answer?.flow;
  }

  #remember(peer: string): void {
    this.#silent.delete(peer);
    this.#silent.set(peer, this.#clock.now() + REMEMBERED);
    const [oldest] = this.#silent.keys();
    if (this.#silent.size > MOST_REMEMBERED) this.#silent.delete(oldest!);
  }
}
