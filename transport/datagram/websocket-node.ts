/**
 * The server's end of legs over WebSockets. Who connects must name the token of a leg; what comes then is of that leg, and
 * what is for it goes out there. A later connection with the same token takes the place of the one before, which may be one
 * that broke unseen. Text is ignored; a frame that is longer than a packet ends the connection.
 */
import type { IncomingMessage, Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { WebSocket, WebSocketServer } from "ws";
import { toHex } from "../../base/bytes.ts";
import type { RandomSource } from "../../base/random.ts";
import { Gate, plainAddress } from "../admission/gate-node.ts";
import { type SecureOptions, webServer } from "../http/server-node.ts";
import { type AcceptOptions, MESSAGE_TIMEOUT, PONG_BACKLOG } from "../sip/socket/peers.ts";
import { FreshQueue } from "./fresh-queue.ts";
import { connectionAddress, type DatagramAddress, type DatagramHandler, MAX_PACKET_BYTES } from "./ports.ts";

export interface LegSocketsOptions extends AcceptOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Name or address that clients are told in place of `host`. */
  readonly advertisedHost?: string | undefined;
  /** Makes it wss. */
  readonly tls?: SecureOptions | undefined;
  /** Origins of pages that may connect (RFC 6455 10.2); those without an origin always. */
  readonly origins: readonly string[];
  /** Milliseconds between pings; a peer that has not answered one by the next is gone. Default 10 s. */
  readonly pingInterval?: number;
  readonly random: RandomSource;
  /** A peer was turned away. */
  readonly refused?: (code: string, host: string) => void;
}

/** A leg that a connection may come for. */
export interface LegSocket {
  readonly address: DatagramAddress;
  /** The URI to which the client connects, with the token. */
  readonly uri: string;
  /** Ends the connection; the token is good for nothing any more. */
  close(): void;
}

interface Place {
  readonly address: DatagramAddress;
  readonly receive: DatagramHandler;
  connection: { readonly socket: WebSocket; readonly queue: FreshQueue } | undefined;
}

const TOKEN_BYTES = 16;
const PATH = "/media";
const PING_MS = 10_000;
/** Pieces of one message: a packet comes in few. */
const MAX_PIECES = 16;

export class LegSockets {
  readonly #options: LegSocketsOptions;
  readonly #http: Server;
  readonly #gate: Gate;
  readonly #sockets: WebSocketServer;
  readonly #byToken = new Map<string, Place>();
  readonly #byNumber = new Map<number, Place>();
  #number = 0;

  constructor(options: LegSocketsOptions) {
    this.#options = options;
    const { tls, messageTimeout = MESSAGE_TIMEOUT, admission, shared } = options;
    this.#http = webServer(tls, messageTimeout);
    const refused = (code: string, host: string) => options.refused?.(code, host);
    this.#gate = new Gate(this.#http, {
      admission,
      shared,
      kind: tls === undefined ? "http" : "https",
      dropped: (reason, { host }) => refused(reason, host),
    });
    this.#http.on("request", (_request, response) => {
      response.writeHead(426, { connection: "close", upgrade: "websocket" }).end();
    });
    this.#http.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
      refused(error.code ?? "HTTP", hostOf(socket));
      socket.destroy();
    });
    this.#sockets = new WebSocketServer({
      server: this.#http,
      maxPayload: MAX_PACKET_BYTES,
      maxFragments: MAX_PIECES,
      maxBufferedChunks: MAX_PIECES,
      perMessageDeflate: false,
      autoPong: false,
      verifyClient: ({ req, origin }: { req: IncomingMessage; origin: string | undefined }) => {
        const isOurs = origin === undefined || options.origins.includes(origin);
        if (isOurs && this.#placeOf(req) !== undefined) return true;
        refused("WS_TOKEN", hostOf(req.socket));
        return false;
      },
    });
    this.#sockets.on("error", () => undefined);
    this.#sockets.on("wsClientError", (_error, socket) => {
      refused("WS_HANDSHAKE", hostOf(socket as Socket));
      socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    });
    this.#sockets.on("connection", (socket, request) => this.#accept(socket, request));
  }

  /** @throws what node:net throws when the address cannot be bound */
  async listen(): Promise<void> {
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#http.once("error", reject);
      this.#http.listen(port, host, () => {
        this.#http.off("error", reject);
        this.#http.on("error", () => undefined);
        resolve();
      });
    });
  }

  /** Undefined before `listen`. */
  get port(): number | undefined {
    return (this.#http.address() as AddressInfo | null)?.port;
  }

  /** The URL to which clients connect, without a token. */
  get url(): string {
    const { tls, advertisedHost, host } = this.#options;
    const name = advertisedHost ?? host;
    return `${tls === undefined ? "ws" : "wss"}://${name.includes(":") ? `[${name}]` : name}:${this.port}${PATH}`;
  }

  open(receive: DatagramHandler): LegSocket {
    const token = toHex(this.#options.random(TOKEN_BYTES));
    const address = connectionAddress(++this.#number);
    const place: Place = { address, receive, connection: undefined };
    this.#byToken.set(token, place);
    this.#byNumber.set(address.port, place);
    return {
      address,
      uri: `${this.url}?token=${token}`,
      close: () => {
        this.#byToken.delete(token);
        this.#byNumber.delete(address.port);
        this.#end(place);
      },
    };
  }

  send(bytes: Uint8Array, { port }: DatagramAddress, done: (failed: boolean) => void): void {
    const connection = this.#byNumber.get(port)?.connection;
    if (connection === undefined) done(true);
    else connection.queue.push(bytes, done);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#sockets.close();
    this.#gate.close();
    await new Promise<void>((resolve) => this.#http.close(() => resolve()));
  }

  #placeOf({ url = "" }: IncomingMessage): Place | undefined {
    const [, token] = /^\/media\?token=([0-9a-f]{32})$/.exec(url) ?? [];
    return token === undefined ? undefined : this.#byToken.get(token);
  }

  #accept(socket: WebSocket, request: IncomingMessage): void {
    // It may have been closed since it was looked at.
    const place = this.#placeOf(request);
    if (place === undefined) {
      socket.terminate();
      return;
    }
    this.#gate.of(request.socket)?.vouch();
    this.#end(place);
    const queue = new FreshQueue({
      get backlog() {
        return socket.readyState === WebSocket.OPEN ? socket.bufferedAmount : Number.POSITIVE_INFINITY;
      },
      send: (bytes, left) => socket.send(bytes, { binary: true }, left),
    });
    const connection = { socket, queue };
    place.connection = connection;
    let isAlive = true;
    const pings = setInterval(() => {
      if (!isAlive) socket.terminate();
      isAlive = false;
      if (socket.readyState === WebSocket.OPEN) socket.ping();
    }, this.#options.pingInterval ?? PING_MS).unref();
    socket.on("pong", () => {
      isAlive = true;
    });
    // One who does not read would have the answers wait.
    socket.on("ping", (data) => {
      if (socket.readyState === WebSocket.OPEN && socket.bufferedAmount <= PONG_BACKLOG) socket.pong(data);
    });
    socket.on("message", (data: Buffer, isBinary) => {
      isAlive = true;
      if (isBinary && place.connection === connection) place.receive(data, place.address);
    });
    socket.on("error", (error: NodeJS.ErrnoException) =>
      this.#options.refused?.(error.code ?? "WS", hostOf(request.socket)),
    );
    socket.on("close", () => {
      clearInterval(pings);
      queue.clear();
      if (place.connection === connection) place.connection = undefined;
    });
  }

  #end(place: Place): void {
    place.connection?.queue.clear();
    place.connection?.socket.terminate();
    place.connection = undefined;
  }
}

function hostOf({ remoteAddress = "" }: Pick<Socket, "remoteAddress">): string {
  return plainAddress(remoteAddress);
}
