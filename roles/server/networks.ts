/** Addresses and networks of a configuration, and which of them an address is in. */
import { BlockList, isIP, isIPv6, SocketAddress } from "node:net";
import { z } from "zod";

const BITS = { 4: 32, 6: 128 } as const;

/** An address, or with a slash the length of a prefix. */
function networkOf(text: string): { address: string; family: "ipv4" | "ipv6"; prefix: number } | undefined {
  const [host = "", length, ...more] = text.split("/");
  const address = plainAddress(host);
  if (address === undefined || more.length > 0) return undefined;
  const kind = isIPv6(address) ? 6 : 4;
  if (length !== undefined && !/^\d{1,3}$/.test(length)) return undefined;
  const prefix = length === undefined ? BITS[kind] : Number(length);
  return prefix > BITS[kind] ? undefined : { address, family: `ipv${kind}`, prefix };
}

/**
 * The one text of an address; undefined where it is none. IPv4 in its IPv6 form is IPv4: a socket for both sends to the
 * same place.
 */
export function plainAddress(text: string): string | undefined {
  const kind = isIP(text);
  if (kind !== 6) return kind === 4 ? text : undefined;
  // A zone is of one machine only.
  if (text.includes("%")) return undefined;
  const { address } = new SocketAddress({ address: text, family: "ipv6" });
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}

export const networkSchema = z
  .string()
  .refine((text) => networkOf(text) !== undefined, "must be an IP address, or a network such as 10.0.0.0/8");

export class Networks {
  readonly #list = new BlockList();

  /** As `networkSchema` lets pass. */
  constructor(networks: readonly string[]) {
    for (const text of networks) {
      const { address, prefix, family } = networkOf(text)!;
      this.#list.addSubnet(address, prefix, family);
    }
  }

  has(text: string): boolean {
    const address = plainAddress(text);
    return address !== undefined && this.#list.check(address, isIPv6(address) ? "ipv6" : "ipv4");
  }
}
