/** WebSockets on Node.js: a SIP server (RFC 7118), and the client that browsers have of their own. */
import type { IncomingMessage } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { SecureContextOptions } from "node:tls";
import { WebSocket, WebSocketServer } from "ws";
import type { AdmittedConnection } from "../../admission/admission.ts";
import { Gate, plainAddress } from "../../admission/gate-node.ts";
import { type SecureOptions, webServer } from "../../http/server-node.ts";
import { DEFAULT_LIMITS, type SipLimits } from "../codec/limits.ts";
import { type AcceptOptions, backlogOf, MESSAGE_TIMEOUT, PONG_BACKLOG, peerKey } from "./peers.ts";
import { type Flow, type HostPort, reachedAt, type SipTransport, type TransportEvents } from "./ports.ts";
import type { WebSocketLike } from "./websocket-client.ts";
import { fromFrame, SUBPROTOCOL, toFrame } from "./websocket-frames.ts";
import { WebSocketProgress } from "./websocket-progress.ts";

export interface WebSocketServerOptions extends AcceptOptions {
  readonly host: string;
  readonly port?: number;
  readonly advertised?: HostPort;
  /** Path of the URL; anything by default. */
  readonly path?: string;
  /** Makes it wss. */
  readonly tls?: SecureOptions;
  /** Origins of pages that may connect (RFC 6455 10.2); all by default, and those without an origin always. */
  readonly origins?: readonly string[];
  readonly limits?: SipLimits;
  /** Milliseconds between pings; a peer that has not answered one by the next is gone. Default 30 s. */
  readonly pingInterval?: number;
}

const PONG = new Uint8Array([13, 10]);

/** Opens a WebSocket for webSocketTransport; `tls` has the certificates that a client of wss trusts. */
export function openWebSocket(tls?: SecureContextOptions): (url: string, protocol: string) => WebSocketLike {
  return (url, protocol) => new WebSocket(url, protocol, tls) as unknown as WebSocketLike;
}

/** Pieces of one message: fragments, and segments that they come in. Each takes memory besides its content. */
const MAX_PIECES = 1024;

interface FlowParts {
  readonly socket: WebSocket;
  readonly transport: "WS" | "WSS";
  readonly remote: HostPort;
  readonly connection: AdmittedConnection | undefined;
  /** Whether what it may have waiting is bound for want of proof. */
  readonly isBound: boolean;
}

class ServerFlow implements Flow {
  readonly transport: "WS" | "WSS";
  readonly reliable = true;
  readonly accepted = true;
  readonly remote: HostPort;
  readonly #socket: WebSocket;
  readonly #connection: AdmittedConnection | undefined;
  readonly #isBound: boolean;

  constructor({ socket, transport, remote, connection, isBound }: FlowParts) {
    this.#socket = socket;
    this.transport = transport;
    this.remote = remote;
    this.#connection = connection;
    this.#isBound = isBound;
  }

  get proven(): boolean {
    return !this.#isBound || this.#connection?.proven === true;
  }

  vouch(): void {
    this.#connection?.vouch();
  }

  /** Octets of an unfinished message. */
  hold(octets: number): void {
    this.#connection?.hold(octets);
  }

  get open(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  send(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#socket.bufferedAmount > backlogOf(!this.proven)) this.#socket.terminate();
      if (!this.open) reject(new Error("the WebSocket is closed"));
      else this.#socket.send(toFrame(bytes), (error) => (error ? reject(error) : resolve()));
    });
  }

  /** Answers a ping of WebSocket. */
  pong(data: Buffer): void {
    if (this.open && this.#reads) this.#socket.pong(data);
  }

  /** Answers a keep-alive of SIP (RFC 5626 4.4.1). */
  sipPong(): void {
    if (this.#reads) this.send(PONG).catch(() => undefined);
  }

  get #reads(): boolean {
    return this.#socket.bufferedAmount <= PONG_BACKLOG;
  }

  close(): void {
    this.#socket.close();
  }

  abort(): void {
    this.#socket.terminate();
  }
}

export function webSocketServerTransport(options: WebSocketServerOptions): SipTransport {
  const { tls, path, origins, admission, limits = DEFAULT_LIMITS, pingInterval = 30_000 } = options;
  const { messageTimeout = MESSAGE_TIMEOUT } = options;
  const name = tls === undefined ? "WS" : "WSS";
  const http = webServer(tls, messageTimeout);
  const flows = new Map<string, ServerFlow>();
  let sentBy: HostPort = options.advertised ?? { host: options.host, port: options.port ?? 0 };
  let events: TransportEvents | undefined;
  const refused = (code: string, remote: HostPort) => events?.refused?.(code, name, remote);
  const gate = new Gate(http, {
    admission,
    shared: options.shared,
    kind: tls === undefined ? "http" : "https",
    dropped: refused,
  });
  // What is no upgrade would wait for an answer for ever.
  http.on("request", (_request, response) => {
    response.writeHead(426, { connection: "close", upgrade: "websocket" }).end();
  });
  // Errors of a TLS handshake come here too.
  http.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    refused(error.code ?? "HTTP", remoteOf(socket));
    socket.destroy();
  });

  const sockets = new WebSocketServer({
    server: http,
    // Above it the connection is closed with 1009, by the length in the frame.
    maxPayload: limits.head + limits.body,
    maxFragments: MAX_PIECES,
    maxBufferedChunks: MAX_PIECES,
    perMessageDeflate: false,
    autoPong: false,
    ...(path === undefined ? {} : { path }),
    // RFC 7118 4.2: a client that does not offer "sip" is not one of ours.
    verifyClient: ({ req, origin }: { req: IncomingMessage; origin: string | undefined }) => {
      const offered = (req.headers["sec-websocket-protocol"] ?? "").split(",").map((word) => word.trim());
      return offered.includes(SUBPROTOCOL) && (origin === undefined || (origins?.includes(origin) ?? true));
    },
    handleProtocols: () => SUBPROTOCOL,
  });
  sockets.on("error", () => undefined);
  sockets.on("wsClientError", (_error, socket) => {
    refused("WS_HANDSHAKE", remoteOf(socket as Socket));
    socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
  });

  function accept(socket: WebSocket, stream: Socket): void {
    const remote = remoteOf(stream);
    const connection = gate.of(stream);
    const flow = new ServerFlow({
      socket,
      transport: name,
      remote,
      connection,
      isBound: admission !== undefined,
    });
    const key = peerKey(remote);
    flows.set(key, flow);
    watchProgress(flow, socket, stream);
    let alive = true;
    const pings = setInterval(() => {
      if (!alive) socket.terminate();
      alive = false;
      if (flow.open) socket.ping();
    }, pingInterval).unref();
    socket.on("ping", (data) => flow.pong(data));
    socket.on("pong", () => {
      alive = true;
    });
    socket.on("message", (data: Buffer) => {
      alive = true;
      const frame = fromFrame(data);
      if (frame === "ping") flow.sipPong();
      else if (frame !== "pong") events?.message(frame, flow);
    });
    socket.on("error", (error: NodeJS.ErrnoException) => refused(error.code ?? "WS", remote));
    socket.on("close", () => {
      clearInterval(pings);
      if (flows.get(key) === flow) flows.delete(key);
      events?.closed(flow);
    });
  }

  /** The first message, and the rest of any begun, has so long, whatever pings are answered meanwhile. */
  function watchProgress(flow: ServerFlow, socket: WebSocket, stream: Socket): void {
    const progress = new WebSocketProgress();
    const giveUp = () => {
      const late = () => {
        refused("TIMEOUT", flow.remote);
        socket.terminate();
      };
      return setTimeout(late, messageTimeout).unref();
    };
    let waiting: NodeJS.Timeout | undefined = giveUp();
    stream.on("data", (bytes: Buffer) => {
      const whole = progress.push(bytes);
      flow.hold(progress.held);
      if (whole) clearTimeout(waiting);
      if (progress.pending && (whole || waiting === undefined)) waiting = giveUp();
      else if (whole) waiting = undefined;
    });
    socket.on("close", () => clearTimeout(waiting));
  }

  return {
    name,
    reliable: true,
    get sentBy() {
      return sentBy;
    },
    async start(given) {
      events = given;
      sockets.on("connection", (socket, request) => accept(socket, request.socket));
      await new Promise<void>((resolve, reject) => {
        http.once("error", reject);
        http.listen(options.port ?? 0, options.host, () => {
          http.off("error", reject);
          http.on("error", () => undefined);
          resolve();
        });
      });
      sentBy = reachedAt(sentBy, (http.address() as AddressInfo).port);
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
      gate.close();
      await new Promise<void>((resolve) => http.close(() => resolve()));
    },
  };
}

function remoteOf({ remoteAddress = "", remotePort = 0 }: Socket): HostPort {
  return { host: plainAddress(remoteAddress), port: remotePort };
}
