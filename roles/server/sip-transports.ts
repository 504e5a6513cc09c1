/** The sockets that the configuration asks for. */
import type { SipTransport, TransportName } from "../../transport/sip/index.ts";
import { tcpTransport, udpTransport, webSocketServerTransport } from "../../transport/sip/index-node.ts";
import type { Credentials } from "./listener.ts";
import type { SipConfig } from "./sip-config.ts";

/** Milliseconds without an octet after which a connection that the server opened is closed: more than 64 T1. */
const IDLE_MS = 120_000;

export function sipTransports(config: SipConfig, credentials?: Credentials): SipTransport[] {
  const { host, udpPort, tcpPort, tlsPort, wsPort, wssPort, advertisedHost, origins } = config;
  const at = (port: number) => ({
    host,
    port,
    ...(advertisedHost !== undefined && { advertised: { host: advertisedHost, port } }),
  });
  const tcp = (port: number) => {
    const { advertised, ...listen } = at(port);
    return { listen, idleTimeout: IDLE_MS, ...(advertised !== undefined && { advertised }) };
  };
  // Those without a page behind them send no origin and are always let in.
  const web = (port: number) => ({ ...at(port), origins });
  const transports: SipTransport[] = [];
  if (udpPort !== undefined) transports.push(udpTransport(at(udpPort)));
  if (tcpPort !== undefined) transports.push(tcpTransport(tcp(tcpPort)));
  if (wsPort !== undefined) transports.push(webSocketServerTransport(web(wsPort)));
  if (tlsPort !== undefined) {
    transports.push(tcpTransport({ ...tcp(tlsPort), tls: { server: { ...credentials } } }));
  }
  if (wssPort !== undefined) {
    transports.push(webSocketServerTransport({ ...web(wssPort), tls: { ...credentials } }));
  }
  return transports;
}

/** Where clients reach a transport that has been started: a SIP URI, or the URL of a WebSocket. */
export function addressOf({ name, sentBy }: Pick<SipTransport, "name" | "sentBy">): string {
  const host = sentBy.host.includes(":") ? `[${sentBy.host}]` : sentBy.host;
  const address = sentBy.port === undefined ? host : `${host}:${sentBy.port}`;
  if (name === "WS" || name === "WSS") return `${name.toLowerCase()}://${address}`;
  return `sip:${address};transport=${name.toLowerCase()}`;
}

export type SipAddresses = { readonly [name in Lowercase<TransportName>]?: string };

export function addressesOf(transports: readonly SipTransport[]): SipAddresses {
  return Object.fromEntries(
    transports.map((transport) => [transport.name.toLowerCase(), addressOf(transport)]),
  );
}
