/**
 * SSRCs of control signalling. Client and server send under one master key (TS 33.180 9.4), where one SSRC for both would
 * let nonces come twice (RFC 7714 8.4): the server's have the highest bit, a client's do not.
 */
import { type RandomSource, systemRandom } from "../../base/random.ts";
import { drawSsrc } from "./used-ssrcs.ts";

const SERVER_BIT = 0x80000000;

export function drawControlSsrc(side: "client" | "server", random: RandomSource = systemRandom): number {
  const drawn = drawSsrc(random) % SERVER_BIT;
  return side === "server" ? drawn + SERVER_BIT : drawn;
}

export function isServerSsrc(ssrc: number): boolean {
  return ssrc >= SERVER_BIT;
}
