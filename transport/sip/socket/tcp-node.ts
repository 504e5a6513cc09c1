/** SIP over TCP and TLS on Node.js. Connections are reused until an end closes them (RFC 3261 18.1.1, RFC 5923). */
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import {
  type ConnectionOptions,
  connect as connectTls,
  createServer as createTlsServer,
  type TLSSocket,
  type TlsOptions,
} from "node:tls";
import { MikeySakkeError } from "../../../base/errors.ts";
import type { AdmittedConnection } from "../../admission/admission.ts";
import { Gate, plainAddress } from "../../admission/gate-node.ts";
import type { Secured } from "../../http/server-node.ts";
import { StreamFramer } from "../codec/framer.ts";
import { DEFAULT_LIMITS, type SipLimits } from "../codec/limits.ts";
import { type AcceptOptions, backlogOf, MESSAGE_TIMEOUT, PONG_BACKLOG, peerKey } from "./peers.ts";
import {
  type Flow,
  type HostPort,
  type Remote,
  reachedAt,
  type SipTransport,
  type TransportEvents,
} from "./ports.ts";

export interface TcpOptions extends AcceptOptions {
  /** The address on which connections are accepted; without it none are, and the peer answers on those opened from here. */
  readonly listen?: { readonly host: string; readonly port?: number };
  readonly advertised?: HostPort;
  /** In Via and Contact where there is neither: unique, ending in ".invalid" (RFC 7118 5). */
  readonly name?: string;
  /** Makes it TLS: how to accept, how to connect, and who may replace the certificate. */
  readonly tls?: {
    readonly server?: TlsOptions;
    readonly client?: ConnectionOptions;
    readonly secured?: Secured | undefined;
  };
  readonly limits?: SipLimits;
  /** Milliseconds to wait for a connection. Default 10 seconds. */
  readonly connectTimeout?: number;
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

interface FlowParts {
  readonly socket: Socket;
  readonly transport: "TCP" | "TLS";
  readonly remote: Remote;
  readonly accepted: boolean;
  /** Admission record of an accepted connection. */
  readonly connection?: AdmittedConnection | undefined;
  /** Whether what it may have waiting is bound for want of proof. */
  readonly isBound: boolean;
}

class TcpFlow implements Flow {
  readonly transport: "TCP" | "TLS";
  readonly reliable = true;
  readonly accepted: boolean;
  readonly remote: Remote;
  readonly address: string | undefined;
  readonly #socket: Socket;
  readonly #connection: AdmittedConnection | undefined;
  readonly #isBound: boolean;

  constructor({ socket, transport, remote, accepted, connection, isBound }: FlowParts) {
    this.#socket = socket;
    this.transport = transport;
    this.remote = remote;
    this.address = socket.remoteAddress && plainAddress(socket.remoteAddress);
    this.accepted = accepted;
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
    return this.#socket.writable && !this.#socket.destroyed;
  }

  send(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#socket.writableLength > backlogOf(!this.proven)) this.#socket.destroy();
      if (!this.open) reject(new Error("the connection is closed"));
      else this.#socket.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
  }

  pong(): void {
    if (this.#socket.writableLength <= PONG_BACKLOG) this.send(PONG).catch(() => undefined);
  }

  close(): void {
    this.#socket.end();
  }

  abort(): void {
    this.#socket.destroy();
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
  #gate: Gate | undefined;
  #events: TransportEvents | undefined;
  #isClosed = false;

  constructor(options: TcpOptions) {
    this.#options = options;
    this.name = options.tls === undefined ? "TCP" : "TLS";
    const { advertised, listen, name = "client.invalid" } = options;
    this.sentBy = advertised ?? listen ?? { host: name };
  }

  /** The milliseconds that a message may take. */
  get #patience(): number {
    return this.#options.messageTimeout ?? MESSAGE_TIMEOUT;
  }

  async start(events: TransportEvents): Promise<void> {
    this.#events = events;
    const { listen, advertised } = this.#options;
    if (listen === undefined) return;
    const { host, port = 0 } = listen;
    const server = this.#createServer();
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, () => {
        server.off("error", reject);
        server.on("error", () => undefined);
        resolve();
      });
    });
    this.sentBy = reachedAt(advertised ?? { host, port }, (server.address() as AddressInfo).port);
  }

  #createTls(tls: NonNullable<TcpOptions["tls"]>, accept: (socket: Socket) => void): Server {
    const server = createTlsServer({ handshakeTimeout: this.#patience, ...tls.server }, accept);
    tls.secured?.(server);
    return server;
  }

  #createServer(): Server {
    const { tls, admission, shared, maxConnections = 20_000 } = this.#options;
    const accept = (socket: Socket) => this.#accept(socket);
    const server = tls === undefined ? createServer(accept) : this.#createTls(tls, accept);
    server.maxConnections = maxConnections;
    server.on("tlsClientError", (_error, socket: TLSSocket) => {
      const { remoteAddress = "", remotePort = 0 } = socket;
      this.#refused("TLS_HANDSHAKE", { host: plainAddress(remoteAddress), port: remotePort });
      // Node.js leaves one whose handshake took too long open.
      socket.destroy();
    });
    this.#gate = new Gate(server, {
      admission,
      shared,
      kind: tls === undefined ? "tcp" : "tls",
      dropped: (reason, remote) => this.#refused(reason, remote),
    });
    return server;
  }

  #refused(code: string, remote: HostPort): void {
    this.#events?.refused?.(code, this.name, remote);
  }

  #accept(socket: Socket): void {
    const remote = { host: plainAddress(socket.remoteAddress ?? ""), port: socket.remotePort ?? 0 };
    const flow = new TcpFlow({
      socket,
      transport: this.name,
      remote,
      accepted: true,
      connection: this.#gate?.of(socket),
      isBound: this.#options.admission !== undefined,
    });
    this.#adopt(flow, socket, () => flow.pong());
    this.#flows.set(peerKey(remote), Promise.resolve(flow));
  }

  #adopt(flow: TcpFlow, socket: Socket, ping?: () => void): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, PROBE_AFTER);
    const message = (bytes: Uint8Array) => this.#events?.message(bytes, flow);
    const pong = () => this.#events?.pong?.(flow);
    const framer = new StreamFramer(
      // The head says enough to be answered with 513, and that the rest is not read.
      { message, tooLarge: (head) => message(head.slice()), ...(ping === undefined ? { pong } : { ping }) },
      this.#options.limits ?? DEFAULT_LIMITS,
    );
    // A peer that sends drop by drop holds what it has begun; it has so long for it.
    const giveUp = () => {
      const late = () => {
        this.#refused("TIMEOUT", flow.remote);
        socket.destroy();
      };
      return setTimeout(late, this.#patience).unref();
    };
    let waiting = flow.accepted ? giveUp() : undefined;
    socket.on("data", (bytes) => {
      try {
        const whole = framer.push(bytes);
        flow.hold(framer.held);
        if (whole) clearTimeout(waiting);
        if (framer.pending && (whole || waiting === undefined)) waiting = giveUp();
        else if (whole) waiting = undefined;
      } catch (error) {
        // The borders of messages are lost.
        socket.removeAllListeners("data").resume();
        waiting ??= giveUp();
        this.#refused(error instanceof MikeySakkeError ? error.code : "STREAM", flow.remote);
        socket.destroySoon();
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

  connect(remote: Remote): Promise<Flow> {
    const key = peerKey(remote);
    const known = this.#flows.get(key);
    if (known !== undefined) return known.then((flow) => (flow.open ? flow : this.#open(remote, key)));
    return this.#open(remote, key);
  }

  #open(remote: Remote, key: string): Promise<TcpFlow> {
    const opening = this.#dial(remote);
    this.#flows.set(key, opening);
    opening.catch(() => {
      if (this.#flows.get(key) === opening) this.#flows.delete(key);
    });
    return opening;
  }

  #dial(remote: Remote): Promise<TcpFlow> {
    if (this.#isClosed) return Promise.reject(new Error("the transport is closed"));
    const { tls, connectTimeout = 10_000, idleTimeout = 0 } = this.#options;
    return new Promise((resolve, reject) => {
      const { host, port, domain } = remote;
      const named = domain !== undefined && { servername: domain };
      const socket =
        tls === undefined ? connect({ host, port }) : connectTls({ ...tls.client, ...named, host, port });
      this.#sockets.add(socket);
      const failed = (error: Error) => {
        this.#sockets.delete(socket);
        socket.destroy();
        reject(error);
      };
      socket.once("error", failed);
      socket.setTimeout(connectTimeout, () => failed(new Error("no connection in time")));
      socket.once(tls === undefined ? "connect" : "secureConnect", () => {
        socket.off("error", failed);
        socket.removeAllListeners("timeout");
        socket.setTimeout(idleTimeout, () => socket.destroy());
        if (this.#isClosed) socket.destroy();
        const flow = new TcpFlow({ socket, transport: this.name, remote, accepted: false, isBound: false });
        this.#adopt(flow, socket);
        resolve(flow);
      });
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const socket of this.#sockets) socket.destroy();
    this.#gate?.close();
    const server = this.#server;
    if (server !== undefined) await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}
