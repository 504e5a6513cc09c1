/**
 * Checks where the requests of a dialog come from: who knows Call-ID and tags, which any proxy can read, is not yet the
 * peer.
 */
import type { TargetPolicy } from "../core/targets.ts";
import type { Flow } from "../socket/ports.ts";

/** The present flow and the one before it, as what is under way on that one may still arrive. */
const MAX_FLOWS = 2;

export class DialogSource {
  #flows: readonly Flow[] = [];
  readonly #accepting: boolean;
  readonly #policy: TargetPolicy | undefined;

  /**
   * `accepting`: the peer began the dialog. Then only the flow that it came on counts, as nothing but the flow tells the
   * peer from others at its address. Who began the dialog from here chose the peer's address, and a connection that this
   * address opens is the peer's: large requests change to TCP (RFC 3261 18.1.1), and a proxy need not use connections again.
   */
  constructor(accepting: boolean, policy?: TargetPolicy) {
    this.#accepting = accepting;
    this.#policy = policy;
  }

  /** The flow of what was last accepted from the peer, or sent to it. */
  get flow(): Flow | undefined {
    return this.#flows[0];
  }

  note(flow: Flow): void {
    if (flow === this.#flows[0]) return;
    this.#flows = [flow, ...this.#flows.filter((other) => other !== flow)].slice(0, MAX_FLOWS);
  }

  has(flow: Flow): boolean {
    return this.#flows.some((known) => known === flow || this.#isPeer(known, flow));
  }

  #isPeer(known: Flow, flow: Flow): boolean {
    if (hostOf(known) !== hostOf(flow)) return false;
    // Which of its connections a proxy takes means nothing, nor whether the request was small enough for a datagram.
    if (this.#accepting && this.#policy?.trusts(flow)) return true;
    if (!flow.reliable) return flow.remote.port === known.remote.port && !(this.#accepting && known.reliable);
    return !this.#accepting && flow.accepted;
  }
}

/** Returns whether a message came from where another one did. */
export function isSameFlow(known: Flow, flow: Flow): boolean {
  if (known === flow) return true;
  const isDatagram = !known.reliable && !flow.reliable;
  return isDatagram && hostOf(known) === hostOf(flow) && known.remote.port === flow.remote.port;
}

function hostOf({ address, remote }: Flow): string {
  return (address ?? remote.host).toLowerCase();
}
