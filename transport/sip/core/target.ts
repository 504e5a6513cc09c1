/** Finds where a request goes: RFC 3263 4, as far as it goes without DNS. Names are left to the sockets. */
import { MikeySakkeError } from "../../../base/errors.ts";
import { isSipUri, parseUri } from "../codec/uri.ts";
import type { NextHop, Remote, SipTransport, TransportName } from "../socket/ports.ts";

export interface Target {
  readonly transport: SipTransport;
  readonly remote: Remote;
}

export const DEFAULT_PORTS: Readonly<Record<TransportName, number>> = {
  UDP: 5060,
  TCP: 5060,
  TLS: 5061,
  WS: 80,
  WSS: 443,
};
const SECURE: ReadonlyMap<string, TransportName> = new Map([
  ["TCP", "TLS"],
  ["TLS", "TLS"],
  ["WS", "WSS"],
  ["WSS", "WSS"],
]);

export class Transports {
  readonly all: readonly SipTransport[];
  readonly #byName: ReadonlyMap<string, SipTransport>;

  constructor(transports: readonly SipTransport[]) {
    if (transports.length === 0) throw new MikeySakkeError("usage", "SIP_NO_TRANSPORT", "SIP: no transport");
    this.all = transports;
    this.#byName = new Map(transports.map((transport) => [transport.name, transport]));
    if (this.#byName.size < transports.length) {
      throw new MikeySakkeError("usage", "SIP_TWO_TRANSPORTS", "SIP: two transports of one kind");
    }
  }

  get(name: string): SipTransport | undefined {
    return this.#byName.get(name);
  }

  hop({ transport: name, ...remote }: NextHop): Target {
    const transport = this.#byName.get(name);
    if (transport === undefined) throw unreachable(`no transport ${name}`);
    return { transport, remote };
  }

  /** The next hop of that URI. An endpoint with one transport, as in a browser, has one way for everything. */
  target(uri: string): Target {
    const parsed = parseUri(uri);
    if (!isSipUri(parsed)) throw unreachable(`the scheme ${parsed.scheme} has no next hop`);
    const { scheme, params } = parsed;
    const named = params.get("transport")?.toUpperCase();
    let name = named ?? (this.#byName.has("UDP") ? "UDP" : this.all[0]!.name);
    if (scheme === "sips") name = named === undefined ? "TLS" : (SECURE.get(named) ?? named);
    const alone = this.all.length === 1 ? this.all[0] : undefined;
    const transport = this.#byName.get(name) ?? alone;
    if (transport === undefined) throw unreachable(`no transport ${name}`);
    if (scheme === "sips" && transport.name !== "TLS" && transport.name !== "WSS")
      throw unreachable("sips needs TLS");
    const host = params.get("maddr") ?? parsed.host;
    // RFC 7118 5: a client with such a name is reached by its own flow, or not at all.
    if (transport !== alone && /\.invalid\.?$/i.test(host)) throw unreachable(`${host} is no place`);
    return { transport, remote: { host: bare(host), port: parsed.port ?? DEFAULT_PORTS[transport.name] } };
  }
}

/** Without the brackets of IPv6. */
export function bare(host: string): string {
  return host.startsWith("[") ? host.slice(1, -1) : host;
}

/** With them. */
export function bracketed(host: string): string {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}

export function unreachable(what: string, cause?: unknown): MikeySakkeError {
  return new MikeySakkeError("transport", "SIP_UNREACHABLE", `SIP: ${what}`, { cause });
}
