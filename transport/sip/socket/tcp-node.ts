/** SIP over TCP and TLS on Node.js. Connections are reused until an end closes them (RFC 3261 18.1.1, RFC 5923). */
import { connect, createServer, type Server, type Socket } from "node:net";
import {
  type ConnectionOptions,
  connect as connectTls,
  createServer as createTlsServer,
  type TlsOptions,
} from "node:tls";
import { StreamFramer } from "../codec/framer.ts";
import { DEFAULT_LIMITS, type SipLimits } from "../codec/limits.ts";
import type { Flow, HostPort, SipTransport, TransportEvents } from "../ports.ts";
import { MAX_BACKLOG, peerKey, plainAddress } from "./peers.ts";

export interface TcpOptions {
  /** Where connections are accepted; without it none are, and the peer answers on those opened from here. */
  readonly listen?: { readonly host: string; readonly port?: number };
  readonly advertised?: HostPort;
  /** In Via and Contact where there is neither: unique, ending in ".invalid" (RFC 7118 5). */
  readonly name?: string;
  /** Makes it TLS: how to accept, and how to connect. */
  readonly tls?: { readonly server?: TlsOptions; readonly client?: ConnectionOptions };
  readonly limits?: SipLimits;
  /** Milliseconds to wait for a connection. Default 10 seconds. */
  readonly connectTimeout?: number;
  /** Milliseconds that the first message of an accepted connection, and the rest of any begun, may take. Default 30 s. */
  readonly messageTimeout?: number;
  /**
   * Milliseconds without an octet after which a connection that was opened from here is closed; never when absent. For
   * servers: the clients' own connections stay. More than 64 T1, or answers may find it closed.
   */
  readonly idleTimeout?: number;
  /** Connections accepted at a time. Default 20,000. */
  readonly maxConnections?: number;
}

/** Milliseconds of silence after which TCP asks whether the peer is still there. */
const PROBE_AFTER = 60_000;
const PONG = new Uint8Array([13, 10]);
class TcpFlow implements Flow {
  readonly transport: "TCP" | "TLS";
  readonly reliable = true;
  readonly accepted: boolean;
  readonly remote: HostPort;
  readonly #socket: Socket;

  constructor(socket: Socket, transport: "TCP" | "TLS", remote: HostPort, accepted: boolean) {
    this.#socket = socket;
    this.transport = transport;
    this.remote = remote;
    this.accepted = accepted;
  }

  get open(): boolean {
    return this.#socket.writable && !this.#socket.destroyed;
  }

  send(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#socket.writableLength > MAX_BACKLOG) this.#socket.destroy();
      if (!this.open) reject(new Error("the connection is closed"));
      else this.#socket.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
  }

  close(): void {
    this.#socket.end();
  }
}

export function tcpTransport(options: TcpOptions): SipTransport {
  return new TcpTransport(options);
}

class TcpTransport implements SipTransport {
  readonly name: "TCP" | "TLS";
  readonly reliable = true;
  sentBy: { host: string; port?: number };
  readonly #options: TcpOptions;
  readonly #flows = new Map<string, Promise<TcpFlow>>();
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #events: TransportEvents | undefined;

  constructor(options: TcpOptions) {
    this.#options = options;
    this.name = options.tls === undefined ? "TCP" : "TLS";
    const { advertised, listen, name = "client.invalid" } = options;
    this.sentBy = advertised ?? listen ?? { host: name };
  }

  async start(events: TransportEvents): Promise<void> {
    this.#events = events;
    const { listen, tls, advertised } = this.#options;
    if (listen === undefined) return;
    const accept = (socket: Socket) => this.#accept(socket);
    const server = tls === undefined ? createServer(accept) : createTlsServer(tls.server ?? {}, accept);
    // A peer that fails the handshake is its own affair.
    server.on("tlsClientError", () => undefined);
    server.maxConnections = this.#options.maxConnections ?? 20_000;
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(listen.port ?? 0, listen.host, () => {
        server.off("error", reject);
        server.on("error", () => undefined);
        resolve();
      });
    });
    const address = server.address();
    if (advertised === undefined && typeof address === "object" && address !== null) {
      this.sentBy = { host: listen.host, port: address.port };
    }
  }

  #accept(socket: Socket): void {
    const remote = { host: plainAddress(socket.remoteAddress ?? ""), port: socket.remotePort ?? 0 };
    const flow = new TcpFlow(socket, this.name, remote, true);
    this.#adopt(flow, socket, () => flow.send(PONG).catch(() => undefined));
    this.#flows.set(peerKey(remote), Promise.resolve(flow));
  }

  #adopt(flow: TcpFlow, socket: Socket, ping?: () => void): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, PROBE_AFTER);
    const message = (bytes: Uint8Array) => this.#events?.message(bytes, flow);
    const framer = new StreamFramer(
      { message, ...(ping === undefined ? {} : { ping }) },
      this.#options.limits ?? DEFAULT_LIMITS,
    );
    // A peer that sends drop by drop holds what it has begun; it has so long for it.
    const patience = this.#options.messageTimeout ?? 30_000;
    const giveUp = () => setTimeout(() => socket.destroy(), patience).unref();
    let waiting = flow.accepted ? giveUp() : undefined;
    socket.on("data", (bytes) => {
      try {
        const whole = framer.push(bytes);
        if (whole) clearTimeout(waiting);
        if (framer.pending && (whole || waiting === undefined)) waiting = giveUp();
        else if (whole) waiting = undefined;
      } catch {
        // The borders of messages are lost.
        socket.destroy();
      }
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      clearTimeout(waiting);
      this.#sockets.delete(socket);
      this.#forget(flow);
      this.#events?.closed(flow);
    });
  }

  /** Unless another flow to that peer has come in its place. */
  #forget(flow: TcpFlow): void {
    const key = peerKey(flow.remote);
    const there = this.#flows.get(key);
    const forget = (other: TcpFlow) => {
      if (other === flow && this.#flows.get(key) === there) this.#flows.delete(key);
    };
    there?.then(forget, () => undefined);
  }

  connect(remote: HostPort): Promise<Flow> {
    const key = peerKey(remote);
    const known = this.#flows.get(key);
    if (known !== undefined) return known.then((flow) => (flow.open ? flow : this.#open(remote, key)));
    return this.#open(remote, key);
  }

  #open(remote: HostPort, key: string): Promise<TcpFlow> {
    const opening = this.#dial(remote);
    this.#flows.set(key, opening);
    opening.catch(() => {
      if (this.#flows.get(key) === opening) this.#flows.delete(key);
    });
    return opening;
  }

  #dial(remote: HostPort): Promise<TcpFlow> {
    const { tls, connectTimeout = 10_000, idleTimeout = 0 } = this.#options;
    return new Promise((resolve, reject) => {
      const socket = tls === undefined ? connect(remote) : connectTls({ ...tls.client, ...remote });
      const failed = (error: Error) => {
        socket.destroy();
        reject(error);
      };
      socket.once("error", failed);
      socket.setTimeout(connectTimeout, () => failed(new Error("no connection in time")));
      socket.once(tls === undefined ? "connect" : "secureConnect", () => {
        socket.off("error", failed);
        socket.removeAllListeners("timeout");
        socket.setTimeout(idleTimeout, () => socket.destroy());
        const flow = new TcpFlow(socket, this.name, remote, false);
        this.#adopt(flow, socket);
        resolve(flow);
      });
    });
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const server = this.#server;
    if (server !== undefined) await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}
