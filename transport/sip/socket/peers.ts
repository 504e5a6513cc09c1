/** What the sockets of Node.js share: addresses, and how much may wait. */

/** Octets that may wait for a peer that does not read, before it counts as gone. */
export const MAX_BACKLOG = 16 * 1024 * 1024;

/** An IPv4 address that came in the IPv6 form of a socket for both. */
export function plainAddress(address: string): string {
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}

/** What connections are found by again. */
export function peerKey({ host, port }: { host: string; port: number }): string {
  return `${host.toLowerCase()} ${port}`;
}
