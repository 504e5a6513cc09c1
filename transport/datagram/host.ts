/** IP addresses as text: one spelling for each, and which of them can stand for one host (RFC 4291, RFC 5952, RFC 6890). */
import type { DatagramAddress } from "./ports.ts";

const OCTET = /^(?:0|[1-9]\d{0,2})$/;
const SIX = /^[0-9a-f:.]{2,45}$/i;
/** An IPv4 address inside an IPv6 one (RFC 4291 2.5.5.2), as URLs print it. */
const MAPPED = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;

/** The one spelling of an address: IPv4 where an IPv6 address stands for one. Undefined for what is no numeric address. */
export function canonicalHost(host: string): string | undefined {
  if (isFour(host)) return host;
  if (!SIX.test(host) || !host.includes(":")) return undefined;
  const six = canonicalSix(host);
  const [, high, low] = MAPPED.exec(six ?? "") ?? [];
  if (high === undefined) return six;
  const number = Number.parseInt(high, 16) * 0x10000 + Number.parseInt(low!, 16);
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join(".");
}

/** Without leading zeros, which some read as octal (RFC 6943 3.1.1). */
function isFour(host: string): boolean {
  const octets = host.split(".", 5);
  return octets.length === 4 && octets.every((octet) => OCTET.test(octet) && Number(octet) < 256);
}

/** URLs know how an IPv6 address is read and printed, in browsers as in Node.js. */
function canonicalSix(host: string): string | undefined {
  try {
    return new URL(`http://[${host}]`).hostname.slice(1, -1);
  } catch {
    return undefined;
  }
}

/** Undefined for what is no address of a socket. */
export function canonicalAddress({ host, port }: DatagramAddress): DatagramAddress | undefined {
  const known = canonicalHost(host);
  if (known === undefined || !Number.isInteger(port) || port < 1 || port > 0xffff) return undefined;
  return { host: known, port };
}

/**
 * Returns whether a canonical address is that of one host: not "this network", multicast, reserved or broadcast (RFC
 * 6890).
 */
export function isUnicast(host: string): boolean {
  if (host.includes(":")) return host !== "::" && !host.startsWith("ff");
  const first = Number(host.slice(0, host.indexOf(".")));
  return first > 0 && first < 224;
}

/** Returns whether an address is of the loopback interface, which has the whole of 127.0.0.0/8. */
export function isLoopbackHost(host: string): boolean {
  return host === "::1" || host.startsWith("127.");
}
