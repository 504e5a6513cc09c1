/** WebSockets on Node.js: a SIP server (RFC 7118), and the client that browsers have of their own. */
import { createServer as createHttpServer, type Server } from "node:http";
import { createServer as createHttpsServer, type ServerOptions } from "node:https";
import { type ClientOptions, WebSocket, WebSocketServer } from "ws";
import { DEFAULT_LIMITS, type SipLimits } from "../codec/limits.ts";
import type { Flow, HostPort, SipTransport, TransportEvents } from "../ports.ts";
import { MAX_BACKLOG, peerKey, plainAddress } from "./peers.ts";
import type { WebSocketLike } from "./websocket-client.ts";
import { fromFrame, SUBPROTOCOL, toFrame } from "./websocket-frames.ts";

export interface WebSocketServerOptions {
  readonly host: string;
  readonly port?: number;
  readonly advertised?: HostPort;
  /** Path of the URL; anything by default. */
  readonly path?: string;
  /** Makes it wss. */
  readonly tls?: ServerOptions;
  /** Origins of pages that may connect (RFC 6455 10.2); all by default, and those without an origin always. */
  readonly origins?: readonly string[];
  readonly limits?: SipLimits;
  /** Milliseconds between pings; a peer that has not answered one by the next is gone. Default 30 s. */
  readonly pingInterval?: number;
}

/** Opens a WebSocket for webSocketTransport. */
export function openWebSocket(options?: ClientOptions): (url: string, protocol: string) => WebSocketLike {
  return (url, protocol) => new WebSocket(url, protocol, options) as unknown as WebSocketLike;
}

class ServerFlow implements Flow {
  readonly transport: "WS" | "WSS";
  readonly reliable = true;
  readonly accepted = true;
  readonly remote: HostPort;
  readonly #socket: WebSocket;

  constructor(socket: WebSocket, transport: "WS" | "WSS", remote: HostPort) {
    this.#socket = socket;
    this.transport = transport;
    this.remote = remote;
  }

  get open(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  send(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#socket.bufferedAmount > MAX_BACKLOG) this.#socket.terminate();
      if (!this.open) reject(new Error("the WebSocket is closed"));
      else this.#socket.send(toFrame(bytes), (error) => (error ? reject(error) : resolve()));
    });
  }

  close(): void {
    this.#socket.close();
  }
}

export function webSocketServerTransport(options: WebSocketServerOptions): SipTransport {
  const { tls, path, origins, limits = DEFAULT_LIMITS, pingInterval = 30_000 } = options;
  const name = tls === undefined ? "WS" : "WSS";
  const http: Server = tls === undefined ? createHttpServer() : createHttpsServer(tls);
  const flows = new Map<string, ServerFlow>();
  let sentBy: HostPort = options.advertised ?? { host: options.host, port: options.port ?? 0 };

  const sockets = new WebSocketServer({
    server: http,
    maxPayload: limits.head + limits.body,
    perMessageDeflate: false,
    ...(path === undefined ? {} : { path }),
    // RFC 7118 4.2: a client that does not offer "sip" is not one of ours.
    verifyClient: ({
      req,
      origin,
    }: {
      req: { headers: Record<string, unknown> };
      origin: string | undefined;
    }) => {
      const offered = String(req.headers["sec-websocket-protocol"] ?? "").split(/[ \t]*,[ \t]*/);
      return offered.includes(SUBPROTOCOL) && (origin === undefined || (origins?.includes(origin) ?? true));
    },
    handleProtocols: () => SUBPROTOCOL,
  });
  sockets.on("error", () => undefined);

  function accept(socket: WebSocket, remote: HostPort, events: TransportEvents): void {
    const flow = new ServerFlow(socket, name, remote);
    const key = peerKey(remote);
    flows.set(key, flow);
    let alive = true;
    const pings = setInterval(() => {
      if (!alive) socket.terminate();
      alive = false;
      if (flow.open) socket.ping();
    }, pingInterval).unref();
    socket.on("pong", () => {
      alive = true;
    });
    socket.on("message", (data: Buffer) => {
      alive = true;
      const bytes = fromFrame(data);
      if (bytes !== undefined) events.message(bytes, flow);
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      clearInterval(pings);
      if (flows.get(key) === flow) flows.delete(key);
      events.closed(flow);
    });
  }

  return {
    name,
    reliable: true,
    get sentBy() {
      return sentBy;
    },
    async start(events) {
      sockets.on("connection", (socket, request) => {
        const { remoteAddress = "", remotePort = 0 } = request.socket;
        accept(socket, { host: plainAddress(remoteAddress), port: remotePort }, events);
      });
      await new Promise<void>((resolve, reject) => {
        http.once("error", reject);
        http.listen(options.port ?? 0, options.host, () => {
          http.off("error", reject);
          http.on("error", () => undefined);
          resolve();
        });
      });
      const address = http.address();
      if (options.advertised === undefined && typeof address === "object" && address !== null) {
        sentBy = { host: options.host, port: address.port };
      }
    },
    // Browsers cannot be connected to: only they open flows.
    connect(remote) {
      const flow = flows.get(peerKey(remote));
      return flow === undefined
        ? Promise.reject(new Error("no WebSocket of that peer"))
        : Promise.resolve(flow);
    },
    async close() {
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
      await new Promise<void>((resolve) => http.close(() => resolve()));
    },
  };
}
