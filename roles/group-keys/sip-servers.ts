/**
 * The servers that a client may use, the best first: those of its configuration, and what DNS makes of each (RFC 3263).
 * One that failed is passed over for a while.
 */

import { type Clock, orLate } from "../../base/clock.ts";
import { fraction, type RandomSource } from "../../base/random.ts";
import { locate, type NextHop, type SipResolver, type TransportName } from "../../transport/sip/index.ts";
import { retryWait } from "./retry-wait.ts";

export interface SipServer {
  readonly uri: string;
  /** Undefined: where the URI leads. */
  readonly nextHop: NextHop | undefined;
  /** For people, and to know it again. */
  readonly name: string;
}

export interface SipServersOptions {
  /** The best first. */
  readonly uris: readonly string[];
  /** Without it, names are left to the sockets. */
  readonly resolver?: SipResolver;
  /** The transports that the endpoint has. */
  readonly transports: readonly TransportName[];
  readonly clock: Clock;
  readonly random: RandomSource;
}

interface Failure {
  readonly count: number;
  /** Until then others come first. */
  readonly avoidedUntil: number;
  /** Not before, also where there is no other. */
  readonly retryAt: number;
}

/** Long enough for a host to start again, or for its operator to look at it. */
const AVOIDED_MS = 60_000;
/** Clients that lost a server together move to the next one at random times within this many milliseconds. */
export const SPREAD_MS = 1000;
/** How long what DNS said holds; records with a shorter life are not followed any faster. */
const LOCATED_MS = 60_000;
/** DNS that does not answer is not to hold up what is known already. */
const LOCATE_PATIENCE_MS = 3000;
const MOST_SERVERS = 64;
/** The answer to a first request; twice as long after each failure, so that a server that is slow is not given up for ever. */
const PATIENCE_MS = 5000;
const LONGEST_PATIENCE_MS = 32_000;

export class SipServers {
  readonly #options: SipServersOptions;
  #servers: readonly SipServer[];
  #locatedAt = Number.NEGATIVE_INFINITY;
  readonly #failures = new Map<string, Failure>();

  constructor(options: SipServersOptions) {
    this.#options = options;
    this.#servers = options.uris.map(plain);
  }

  /** The one to try now: the first that has not failed lately, or else the one whose time comes first. Does not reject. */
  async next(): Promise<SipServer> {
    await this.#locate();
    return this.#best();
  }

  /** Milliseconds until it makes sense to try `next`. */
  pause(): number {
    const { clock, random } = this.#options;
    const now = clock.now();
    const failure = this.#failures.get(this.#best().name);
    const spread = SPREAD_MS * fraction(random);
    return failure === undefined || failure.avoidedUntil <= now ? spread : Math.max(failure.retryAt - now, 0);
  }

  /** Milliseconds that the first answer of this server may take. */
  patience({ name }: SipServer): number {
    return Math.min(PATIENCE_MS * 2 ** (this.#failures.get(name)?.count ?? 0), LONGEST_PATIENCE_MS);
  }

  /** `retryAfter`: milliseconds that it asked for. Gives when it may be tried again, by the clock. */
  failed({ name }: SipServer, retryAfter = 0): number {
    const { clock, random } = this.#options;
    const now = clock.now();
    const before = this.#failures.get(name)?.count ?? 0;
    const wait =
      before === 0
        ? retryAfter + SPREAD_MS * fraction(random)
        : retryWait({ failures: before, retryAfter }, random);
    const avoidedUntil = now + Math.max(AVOIDED_MS, retryAfter);
    this.#failures.set(name, { count: before + 1, avoidedUntil, retryAt: now + wait });
    return now + wait;
  }

  worked({ name }: SipServer): void {
    this.#failures.delete(name);
  }

  #best(): SipServer {
    const now = this.#options.clock.now();
    const avoided = (server: SipServer) => (this.#failures.get(server.name)?.avoidedUntil ?? 0) > now;
    const retryAt = (server: SipServer) => this.#failures.get(server.name)?.retryAt ?? 0;
    const good = this.#servers.find((server) => !avoided(server));
    return good ?? this.#servers.reduce((best, next) => (retryAt(next) < retryAt(best) ? next : best));
  }

  async #locate(): Promise<void> {
    const { uris, resolver, clock } = this.#options;
    if (resolver === undefined || clock.now() - this.#locatedAt < LOCATED_MS) return;
    const places = Promise.all(uris.map((uri) => this.#placesOf(uri, resolver)));
    const found = await orLate(places, clock, LOCATE_PATIENCE_MS);
    if (found === undefined) return;
    this.#locatedAt = clock.now();
    this.#servers = found.flat().slice(0, MOST_SERVERS);
    const names = new Set(this.#servers.map(({ name }) => name));
    for (const name of this.#failures.keys()) if (!names.has(name)) this.#failures.delete(name);
  }

  /** Returns the places of a URI; those that were known before, where DNS fails. */
  async #placesOf(uri: string, resolver: SipResolver): Promise<readonly SipServer[]> {
    const { transports, random } = this.#options;
    try {
      const hops = await locate(uri, { resolver, transports, random });
      return hops.length === 0 ? [plain(uri)] : hops.map((nextHop) => serverAt(uri, nextHop));
    } catch {
      return this.#servers.filter((server) => server.uri === uri);
    }
  }
}

function plain(uri: string): SipServer {
  return { uri, nextHop: undefined, name: uri };
}

function serverAt(uri: string, nextHop: NextHop): SipServer {
  const { transport, host, port } = nextHop;
  const at = host.includes(":") ? `[${host}]` : host;
  return { uri, nextHop, name: `${uri} at ${at}:${port}/${transport.toLowerCase()}` };
}
