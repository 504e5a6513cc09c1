/** DNS by way of Node.js. */
import { promises } from "node:dns";
import type { SipResolver } from "./resolver.ts";

/** Milliseconds for one question, which is asked twice: a server that fell is not to be waited for. */
const TIMEOUT = 1000;
const TRIES = 2;
const NO_RECORD = new Set(["ENODATA", "ENOTFOUND"]);

export interface DnsOptions {
  /** Addresses of DNS servers, with a port where it is not 53; those of the system when absent. */
  readonly servers?: readonly string[];
}

export function dnsResolver({ servers }: DnsOptions = {}): SipResolver {
  const resolver = new promises.Resolver({ timeout: TIMEOUT, tries: TRIES });
  if (servers !== undefined) resolver.setServers([...servers]);
  return {
    async naptr(domain) {
      const records = await orNone(resolver.resolveNaptr(domain));
      // RFC 3263 4.1: the flag "s" leads to SRV records.
      const toSrv = records.filter(({ flags }) => flags.toLowerCase() === "s");
      return toSrv.map(({ order, preference, service, replacement }) => ({
        order,
        preference,
        service,
        replacement,
      }));
    },
    async srv(name) {
      const records = await orNone(resolver.resolveSrv(name));
      return records.map(({ priority, weight, port, name: target }) => ({ priority, weight, port, target }));
    },
    async addresses(host) {
      // With the file of hosts of this machine, unless other servers are named.
      if (servers === undefined) {
        return (await orNone(promises.lookup(host, { all: true }))).map(({ address }) => address);
      }
      return [...(await orNone(resolver.resolve4(host))), ...(await orNone(resolver.resolve6(host)))];
    },
  };
}

async function orNone<T>(question: Promise<T[]>): Promise<T[]> {
  try {
    return await question;
  } catch (error) {
    if (NO_RECORD.has(String((error as { code?: unknown }).code))) return [];
    throw error;
  }
}
