/** The stream of floor control (TS 24.380 12, 14) or transmission control (TS 24.581 14) of a call. */
import type { DatagramAddress } from "../../transport/datagram/ports.ts";
import { addressOf, attributeOf, connectionOf, hostOf, sectionOf } from "./lines.ts";

/** Whether a request may wait while others talk or transmit (TS 24.380 14.2.2, TS 24.581 14.2.2). */
export const QUEUEING = "mc_queueing";

/** The name of the protocol in the lines of the stream, which is read in letters of either case. */
export type ControlProtocol = "MCPTT" | "MCVideo";

const MEDIA_LINE = {
  MCPTT: /^m=application (\d{1,5}) udp (MCPTT)$/i,
  MCVideo: /^m=application (\d{1,5}) udp (MCVideo)$/i,
};
const FORMAT = { MCPTT: /^MCPTT /i, MCVideo: /^MCVideo /i };

export function controlLines(
  protocol: ControlProtocol,
  address: DatagramAddress,
  features: readonly string[],
): string[] {
  return [
    `m=application ${address.port} udp ${protocol}`,
    `c=IN ${hostOf(address)}`,
    ...(features.length === 0 ? [] : [`a=fmtp:${protocol} ${features.join(";")}`]),
  ];
}

export interface ControlStream {
  readonly lines: readonly string[];
  readonly address: DatagramAddress;
  /** The features that `a=fmtp` lists. */
  readonly features: readonly string[];
}

/** `connection`: that of the session, which counts where the stream has none. `what`: for the text of an error. */
export function controlStreamOf(
  sections: readonly (readonly string[])[],
  connection: string | undefined,
  protocol: ControlProtocol,
  what: string,
): ControlStream {
  const { lines, port } = sectionOf(sections, MEDIA_LINE[protocol], what);
  const text = attributeOf(lines, "fmtp")?.replace(FORMAT[protocol], "") ?? "";
  const features = text.split(";").map((feature) => feature.trim());
  return { lines, address: { host: addressOf(connectionOf(lines) ?? connection), port }, features };
}
