/** The SIP endpoint of a client, by the address of its server. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { systemRandom } from "../../base/random.ts";
import {
  createSipEndpoint,
  type SipEndpoint,
  type SipEndpointOptions,
  type SipTransport,
  systemClock,
  webSocketTransport,
} from "../../transport/sip/index.ts";
import { onePort, openWebSocket, tcpTransport, udpTransport } from "../../transport/sip/index-node.ts";
import { usageError } from "../terminal/usage.ts";

export type SipWay = "udp" | "tcp" | "tls" | "ws" | "wss";

export interface SipServer {
  readonly way: SipWay;
  readonly host: string;
  readonly port: number;
  /** The URI that requests name. */
  readonly uri: string;
}

export interface ClientEndpoint {
  readonly endpoint: SipEndpoint;
  /** URI of the server. */
  readonly uri: string;
}

const DEFAULT_PORTS: Readonly<Record<SipWay, number>> = { udp: 5060, tcp: 5060, tls: 5061, ws: 80, wss: 443 };

/** `sip:HOST:PORT` with or without `;transport=`, `sips:HOST:PORT`, `ws://…` or `wss://…`. Usage error BAD_SIP_URI. */
export function sipServer(text: string, option: string): SipServer {
  const web = /^(wss?):\/\/(?:\[([0-9a-f:]+)\]|([^/:]+))(?::(\d{1,5}))?(?:\/.*)?$/i.exec(text);
  const sip = /^(sips?):(?:[^@]*@)?(?:\[([0-9a-f:]+)\]|([^;:@]+))(?::(\d{1,5}))?(?:;transport=(\w+))?$/i.exec(
    text,
  );
  const [, scheme, six, four, port, transport] = web ?? sip ?? [];
  const host = six ?? four;
  const way = (web ? scheme : scheme === "sips" ? "tls" : (transport ?? "udp"))?.toLowerCase() as SipWay;
  if (scheme === undefined || host === undefined || !Object.hasOwn(DEFAULT_PORTS, way)) {
    throw usageError(
      "BAD_SIP_URI",
      `${option}: "${text}" is not sip:HOST:PORT;transport=…, sips:…, ws://… or wss://…`,
    );
  }
  const number = port === undefined ? DEFAULT_PORTS[way] : Number(port);
  const name = `${six === undefined ? host : `[${host}]`}:${number}`;
  const secure = scheme.toLowerCase() === "sips";
  const suffix = way === "udp" || secure ? "" : `;transport=${way === "wss" ? "ws" : way}`;
  return { way, host, port: number, uri: `${secure ? "sips" : "sip"}:${name}${suffix}` };
}

/** Started. `ca`: PEM of the certificates to trust in place of the system's. */
export async function clientEndpoint(
  server: SipServer,
  ca?: string,
  agent: Pick<SipEndpointOptions, "outboundProxy" | "credentials"> = {},
): Promise<ClientEndpoint> {
  const endpoint = createSipEndpoint({
    transports: await transportsOf(server, ca),
    clock: systemClock,
    random: systemRandom,
    ...agent,
  });
  try {
    await endpoint.start();
    return { endpoint, uri: server.uri };
  } catch (error) {
    await endpoint.close();
    throw error;
  }
}

async function transportsOf(
  { way, host, port }: SipServer,
  ca: string | undefined,
): Promise<readonly SipTransport[]> {
  if (way === "ws" || way === "wss") {
    const url = `${way}://${host.includes(":") ? `[${host}]` : host}:${port}`;
    const open = openWebSocket(ca === undefined ? {} : { ca });
    return [webSocketTransport({ url, random: systemRandom, open })];
  }
  if (way === "tls") return [tcpTransport({ tls: { client: ca === undefined ? {} : { ca } } })];
  if (way === "tcp") return [tcpTransport({})];
  // A NOTIFY with a key is larger than a datagram should be: the server brings it over TCP to the same port.
  const own = await addressTowards(host, port);
  return onePort(
    () => udpTransport({ host: own }),
    (port) => tcpTransport({ listen: { host: own, port } }),
  );
}

/** The address of this machine that packets to there have. */
export async function addressTowards(host: string, port: number): Promise<string> {
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  try {
    const connected = once(socket, "connect");
    socket.connect(port, host);
    await connected;
    return socket.address().address;
  } finally {
    socket.close();
  }
}
