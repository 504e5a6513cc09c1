/** The part of a configuration about SIP. */
import { z } from "zod";
import { networkSchema } from "./networks.ts";

const port = z.number().int().min(0).max(65535);

export const sipSchema = z.strictObject({
  /** Address that the sockets listen on. */
  host: z.string().default("127.0.0.1"),
  /** Name or address that peers reach it by, in Via and Contact; `host` when absent. */
  advertisedHost: z.string().min(1).optional(),
  /** One transport for each port that is given; 0 picks a free one, for UDP and TCP the same. TCP is needed wherever UDP is (RFC 3261 18.1.1). */
  udpPort: port.optional(),
  tcpPort: port.optional(),
  tlsPort: port.optional(),
  wsPort: port.optional(),
  wssPort: port.optional(),
  /** Origins of pages that may connect by WebSocket; others than browsers send none. */
  origins: z.array(z.url()).default([]),
  /** SIP URI with lr that requests outside of dialogs go to. */
  outboundProxy: z.string().min(1).optional(),
  /** Whether UDP, TCP and WS may be listened on beyond loopback, where anybody on the way reads and repeats tokens. */
  allowPlain: z.boolean().default(false),
  /** Addresses or networks of proxies, whose Record-Route counts. What came through another proxy is refused. */
  trustedProxies: z.array(networkSchema).default([]),
  /** Networks that a Contact may lead to; any other client is answered on the flow that it came on. */
  allowedTargets: z.array(networkSchema).default([]),
});

export type SipConfig = z.output<typeof sipSchema>;

export function sipPorts({ udpPort, tcpPort, tlsPort, wsPort, wssPort }: SipConfig) {
  return [udpPort, tcpPort, tlsPort, wsPort, wssPort];
}
