/** `check client` with sockets: a KMS and an XCAP server over HTTPS, a GMS and an MCX server over SIP. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { defined } from "../../../base/defined.ts";
import { systemRandom } from "../../../base/random.ts";
import { load } from "../../../bindings/core/core.ts";
import { openUdpPort } from "../../../transport/datagram/udp-node.ts";
import { webServer } from "../../../transport/http/server-node.ts";
import { createSipEndpoint, type SipEndpoint, systemClock } from "../../../transport/sip/index.ts";
import { onePort, tcpTransport, udpTransport } from "../../../transport/sip/index-node.ts";
import { listenError } from "../../server/listen-error.ts";
import { readBody } from "../../server/read-body.ts";
import type { CaseResult } from "../run.ts";
import type { HttpRequest } from "./http.ts";
import { type ClientCheckOptions, ClientPeer, checkClient } from "./index.ts";

export interface ClientPlaceOptions
  extends Pick<
    ClientCheckOptions,
    "userUri" | "group" | "gmsUri" | "kmsUri" | "token" | "protection" | "expires" | "startMs" | "stepMs"
  > {
  readonly host: string;
  /** 0 is any. */
  readonly port: number;
  /** UDP and TCP listen on this port; 0 picks free ones. TLS listens on the next port. */
  readonly sipPort: number;
  /** Over HTTP alone when false. */
  readonly sip: boolean;
  /** Identity of the MCX server that is played; no calls are checked when absent. */
  readonly mcxUri?: string;
  readonly tls: { readonly cert: string; readonly key: string };
}

/** The addresses at which the client under test finds its servers. */
export interface ClientPlace {
  readonly kmsUrl: string;
  readonly kmsUri: string;
  readonly gmsUri: string;
  readonly mcxUri?: string;
  readonly xcapRoot: string;
  readonly group: string;
  /** SIP URIs by transport. */
  readonly sip: Readonly<Record<string, string>>;
}

const REQUEST_MS = 20_000;
const MAX_BODY = 1 << 20;

export async function checkClientOver(
  options: ClientPlaceOptions,
  listening: (place: ClientPlace) => void | Promise<void>,
  tell?: (result: CaseResult) => void,
): Promise<CaseResult[]> {
  const { host, port, tls, kmsUri, gmsUri, mcxUri, group } = options;
  const closers: (() => unknown)[] = [];
  try {
    const core = await load();
    closers.push(() => core.destroy());
    let peer: ClientPeer | undefined;
    const server = webServer(tls, REQUEST_MS);
    server.on("request", (request, response) => void serve(() => peer, request, response));
    await listen(server, port, host);
    closers.push(
      () => server.closeAllConnections(),
      () => void server.close(),
    );
    const named = host.includes(":") ? `[${host}]` : host;
    const origin = `https://${named}:${(server.address() as AddressInfo).port}`;
    const sip = options.sip ? await sipServer(options) : undefined;
    if (sip !== undefined) closers.push(() => sip.endpoint.close());
    peer = new ClientPeer({
      ...options,
      origin,
      ...defined({ endpoint: sip?.endpoint }),
      ...(mcxUri !== undefined && { mcx: { uri: mcxUri, openPort: () => openUdpPort({ host }) } }),
      core,
      random: systemRandom,
      now: Date.now,
      clock: systemClock,
    });
    closers.push(() => peer?.destroy());
    await listening({
      kmsUrl: origin,
      kmsUri,
      gmsUri,
      ...defined({ mcxUri }),
      xcapRoot: `${origin}/xcap`,
      group,
      sip: sip?.uris ?? {},
    });
    return await checkClient(peer, tell);
  } finally {
    for (let next = closers.pop(); next !== undefined; next = closers.pop()) await next();
  }
}

interface SipServer {
  readonly endpoint: SipEndpoint;
  readonly uris: Readonly<Record<string, string>>;
}

async function sipServer({ host, sipPort, tls }: ClientPlaceOptions): Promise<SipServer> {
  const listen = (port: number) => ({ listen: { host, port } });
  const plain =
    sipPort === 0
      ? onePort(
          () => udpTransport({ host }),
          (port) => tcpTransport(listen(port)),
        )
      : [udpTransport({ host, port: sipPort }), tcpTransport(listen(sipPort))];
  const secure = tcpTransport({ ...listen(sipPort && sipPort + 1), tls: { server: tls } });
  const endpoint = createSipEndpoint({
    transports: [...plain, secure],
    clock: systemClock,
    random: systemRandom,
  });
  await endpoint.start().catch((error: unknown) => {
    throw listenError(error);
  });
  const named = host.includes(":") ? `[${host}]` : host;
  const [port, tlsPort] = [plain[0]!, secure].map(({ sentBy }) => sentBy.port);
  return {
    endpoint,
    uris: {
      udp: `sip:${named}:${port};transport=udp`,
      tcp: `sip:${named}:${port};transport=tcp`,
      tls: `sips:${named}:${tlsPort}`,
    },
  };
}

async function listen(server: ReturnType<typeof webServer>, port: number, host: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(listenError(error)));
    server.listen(port, host, resolve);
  });
}

async function serve(
  peer: () => ClientPeer | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const body = await readBody(request, MAX_BODY);
    const answer = (body && (await peer()?.http(requestOf(request, body)))) ?? { status: 413 };
    response.writeHead(answer.status, answer.headers).end(answer.body);
  } catch {
    // The connection is gone, and with it whom to tell.
    response.destroy();
  }
}

function requestOf({ method = "", url = "", headers }: IncomingMessage, body: Uint8Array): HttpRequest {
  return {
    method,
    path: url,
    header(name) {
      const value = headers[name];
      return Array.isArray(value) ? value.join(", ") : value;
    },
    body,
  };
}
