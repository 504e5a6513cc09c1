/** The places that a SIP URI leads to, the best first (RFC 3263 4, RFC 2782). */

import type { RandomSource } from "../../../base/random.ts";
import { isSipUri, parseUri, type SipUri } from "../codec/uri.ts";
import { bare, DEFAULT_PORTS } from "../core/target.ts";
import type { NextHop, TransportName } from "../socket/ports.ts";
import type { SipResolver, SrvRecord } from "./resolver.ts";

export interface LocateOptions {
  readonly resolver: SipResolver;
  /** Transports available here. */
  readonly transports: readonly TransportName[];
  readonly random: RandomSource;
}

interface Service {
  readonly transport: TransportName;
  /** With SRV records. */
  readonly name: string;
}

interface Place {
  readonly transport: TransportName;
  readonly host: string;
  readonly port: number;
}

/** RFC 3263 4.1 and RFC 7118 5. Those of WebSocket lead to a URL, which a transport has already. */
const SERVICES: ReadonlyMap<string, TransportName> = new Map([
  ["SIP+D2U", "UDP"],
  ["SIP+D2T", "TCP"],
  ["SIPS+D2T", "TLS"],
]);
const PREFIXES: Readonly<Partial<Record<TransportName, string>>> = {
  UDP: "_sip._udp.",
  TCP: "_sip._tcp.",
  TLS: "_sips._tcp.",
};
/** Places that one URI may lead to. */
const MOST = 16;

/**
 * Empty where the URI has nothing that DNS could lead on from, as an address, or where no transport is for it: then it
 * goes where the URI says. Rejects when DNS does not answer.
 */
export async function locate(text: string, options: LocateOptions): Promise<readonly NextHop[]> {
  const uri = parseUri(text);
  if (!isSipUri(uri)) return [];
  const domain = uri.params.get("maddr") ?? uri.host;
  if (isAddress(domain) || transportsFor(uri, options).length === 0) return [];
  const places = await placesOf(uri, domain, options);
  const hops: NextHop[] = [];
  for (const { transport, host, port } of places.slice(0, MOST)) {
    const addresses = isAddress(host) ? [bare(host)] : await options.resolver.addresses(host);
    const named = transport === "TLS" && { domain };
    for (const address of addresses) hops.push({ transport, host: address, port, ...named });
  }
  return hops.slice(0, MOST);
}

async function placesOf(uri: SipUri, domain: string, options: LocateOptions): Promise<readonly Place[]> {
  const transports = transportsFor(uri, options);
  const [first] = transports;
  if (uri.port !== undefined) return [{ transport: first!, host: domain, port: uri.port }];
  const places: Place[] = [];
  for (const { transport, name } of await servicesOf(uri, domain, transports, options)) {
    const records = await options.resolver.srv(name);
    const there = records.filter(({ target }) => target !== "" && target !== ".");
    for (const { target, port } of inOrder(there, options.random)) {
      places.push({ transport, host: target.replace(/\.$/, ""), port });
    }
  }
  // RFC 3263 4.2: without SRV records the name itself, at the port of the transport.
  if (places.length > 0) return places;
  return [{ transport: first!, host: domain, port: DEFAULT_PORTS[first!] }];
}

/** 4.1: the transport of the URI, or what NAPTR records say, or each that there is. */
async function servicesOf(
  uri: SipUri,
  domain: string,
  transports: readonly TransportName[],
  { resolver }: LocateOptions,
): Promise<readonly Service[]> {
  const all = transports.map((transport) => ({ transport, name: PREFIXES[transport]! + domain }));
  if (uri.params.has("transport")) return all;
  const records = [...(await resolver.naptr(domain))];
  records.sort((a, b) => a.order - b.order || a.preference - b.preference);
  const named = records.flatMap(({ service, replacement }) => {
    const transport = SERVICES.get(service.toUpperCase());
    if (transport === undefined || !transports.includes(transport)) return [];
    return [{ transport, name: replacement.replace(/\.$/, "") }];
  });
  return named.length > 0 ? named : all;
}

function transportsFor(uri: SipUri, { transports }: LocateOptions): readonly TransportName[] {
  const named = uri.params.get("transport")?.toUpperCase();
  const isSecure = uri.scheme === "sips" || named === "TLS";
  const wanted: readonly TransportName[] = isSecure
    ? ["TLS"]
    : named === undefined
      ? ["UDP", "TCP", "TLS"]
      : (["UDP", "TCP"] as const).filter((name) => name === named);
  return wanted.filter((name) => transports.includes(name));
}

/** RFC 2782: by priority; within one drawn by weight. */
export function inOrder(records: readonly SrvRecord[], random: RandomSource): SrvRecord[] {
  // Records of weight 0 come first, so that they have a small chance.
  const left = [...records].sort((a, b) => a.priority - b.priority || a.weight - b.weight);
  const ordered: SrvRecord[] = [];
  while (left.length > 0) {
    const alike = left.filter(({ priority }) => priority === left[0]!.priority);
    const total = alike.reduce((sum, { weight }) => sum + weight, 0);
    const drawn = new DataView(random(4).slice().buffer).getUint32(0) % (total + 1);
    let [sum, next] = [0, -1];
    while (next < 0 || sum < drawn) sum += alike[++next]!.weight;
    const chosen = alike[next]!;
    ordered.push(chosen);
    left.splice(left.indexOf(chosen), 1);
  }
  return ordered;
}

function isAddress(host: string): boolean {
  return host.startsWith("[") || host.includes(":") || /^[0-9.]+$/.test(host);
}
