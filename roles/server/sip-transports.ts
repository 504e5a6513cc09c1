/** The sockets that the configuration asks for. */
import { defined } from "../../base/defined.ts";
import type { Admission } from "../../transport/admission/admission.ts";
import {
  DEFAULT_LIMITS,
  type SipLimits,
  type SipTransport,
  type TransportName,
} from "../../transport/sip/index.ts";
import {
  onePort,
  tcpTransport,
  udpTransport,
  webSocketServerTransport,
} from "../../transport/sip/index-node.ts";
import type { Credentials } from "./listener.ts";
import { Networks } from "./networks.ts";
import type { SipConfig } from "./sip-config.ts";

/** Milliseconds without an octet after which a connection that the server opened is closed: more than 64 T1. */
const IDLE_MS = 120_000;

export interface SipTransportOptions {
  readonly credentials?: Credentials | undefined;
  readonly limits: SipLimits;
  readonly admission: Admission;
  /** Seconds to receive one whole message. */
  readonly requestTimeout: number;
}

/** Returns how much of a message is read by a server whose bodies are that large. */
export function sipLimits({ bodyBytes }: { readonly bodyBytes: number }): SipLimits {
  return { ...DEFAULT_LIMITS, body: bodyBytes };
}

export function sipTransports(config: SipConfig, options: SipTransportOptions): SipTransport[] {
  const { credentials, limits, admission, requestTimeout } = options;
  const { host, udpPort, tcpPort, tlsPort, wsPort, wssPort, advertisedHost, origins } = config;
  const proxies = new Networks(config.trustedProxies);
  const shared = (address: string) => proxies.has(address);
  const bounds = { limits, admission, shared, messageTimeout: requestTimeout * 1000 };
  const at = (port: number) => ({
    host,
    port,
    ...(advertisedHost !== undefined && { advertised: { host: advertisedHost, port } }),
  });
  const tcp = (port: number) => {
    const { advertised, ...listen } = at(port);
    return { listen, ...bounds, idleTimeout: IDLE_MS, ...defined({ advertised }) };
  };
  // Clients that are no pages send no origin and are always let in.
  const web = (port: number) => ({ ...at(port), ...bounds, origins });
  const transports: SipTransport[] = [];
  if (udpPort === 0 && tcpPort === 0) {
    transports.push(
      ...onePort(
        () => udpTransport(at(0)),
        (port) => tcpTransport(tcp(port)),
      ),
    );
  } else {
    if (udpPort !== undefined) transports.push(udpTransport(at(udpPort)));
    if (tcpPort !== undefined) transports.push(tcpTransport(tcp(tcpPort)));
  }
  if (wsPort !== undefined) transports.push(webSocketServerTransport(web(wsPort)));
  if (tlsPort !== undefined) {
    const { secured, ...server } = credentials ?? {};
    transports.push(tcpTransport({ ...tcp(tlsPort), tls: { server, secured } }));
  }
  if (wssPort !== undefined) {
    transports.push(webSocketServerTransport({ ...web(wssPort), tls: { ...credentials } }));
  }
  return transports;
}

/** Returns where clients reach a transport that has been started: a SIP URI, or the URL of a WebSocket. */
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
