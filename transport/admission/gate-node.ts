/** The connections of one listener, from the first octet on: each is admitted before TLS, HTTP or SIP see anything of it. */
import type { Server, Socket } from "node:net";
import { Admission, type AdmittedConnection, type DropReason } from "./admission.ts";

/**
 * Octets of memory of one connection that waits, rounded up from what 2,000 of each kind took on Node.js 20: 8 KiB with a
 * socket, 80 KiB with a TLS handshake that has begun, 24 KiB with 14 KiB of an HTTP head, 60 KiB with that over TLS.
 */
export const CONNECTION_COST = {
  tcp: 12 << 10,
  tls: 88 << 10,
  http: 32 << 10,
  https: 96 << 10,
} as const;

export interface GateOptions {
  /** Shared with the other listeners of the process. */
  readonly admission?: Admission | undefined;
  readonly kind: keyof typeof CONNECTION_COST;
  /** Whether an address stands for many peers, as that of a proxy does. */
  readonly shared?: ((address: string) => boolean) | undefined;
  readonly dropped?: (reason: DropReason, peer: Peer) => void;
}

export interface Peer {
  readonly host: string;
  readonly port: number;
}

/** An IPv4 address that came in the IPv6 form of a socket for both. */
export function plainAddress(address: string): string {
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}

export class Gate {
  readonly #sockets = new Set<Socket>();
  readonly #byPeer = new Map<string, AdmittedConnection>();
  /** TLS handshakes in progress, by peer. */
  readonly #handshaking = new Map<string, Socket>();
  readonly #options: GateOptions;
  readonly #admission: Admission;

  constructor(server: Server, options: GateOptions) {
    this.#options = options;
    this.#admission = options.admission ?? unboundedAdmission();
    // Before the listener of the server itself.
    server.prependListener("connection", (socket) => this.#admit(socket));
    server.on("secureConnection", ({ remoteAddress, remotePort }: Socket) => {
      this.#handshaking.delete(peerOf(plainAddress(remoteAddress ?? ""), remotePort ?? 0));
    });
  }

  /** The connection that a socket belongs to, also one of TLS upon it. */
  of({ remoteAddress = "", remotePort = 0 }: Pick<Socket, "remoteAddress" | "remotePort">) {
    return this.#byPeer.get(peerOf(plainAddress(remoteAddress), remotePort));
  }

  /** Ends those that TLS has not been agreed on: there is no request under way on them, and `server.close` waits. */
  closeHandshakes(): void {
    for (const socket of this.#handshaking.values()) socket.destroy();
  }

  /** Ends all, also those that are still in a handshake. */
  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #admit(socket: Socket): void {
    const host = plainAddress(socket.remoteAddress ?? "");
    const port = socket.remotePort ?? 0;
    const { kind, shared, dropped } = this.#options;
    const connection = this.#admission.open({
      address: host,
      cost: CONNECTION_COST[kind],
      shared: shared?.(host) ?? false,
      drop: (reason) => {
        dropped?.(reason, { host, port });
        // The server's own listener has not seen a new socket yet, and expects one that is open.
        process.nextTick(() => socket.destroy());
      },
    });
    const peer = peerOf(host, port);
    this.#sockets.add(socket);
    this.#byPeer.set(peer, connection);
    if (kind === "tls" || kind === "https") this.#handshaking.set(peer, socket);
    socket.once("close", () => {
      if (this.#handshaking.get(peer) === socket) this.#handshaking.delete(peer);
      connection.close();
      this.#sockets.delete(socket);
      if (this.#byPeer.get(peer) === connection) this.#byPeer.delete(peer);
    });
  }
}

function peerOf(host: string, port: number): string {
  return `${host} ${port}`;
}

/** For listeners whose peers need not prove anything. */
function unboundedAdmission(): Admission {
  const all = Number.POSITIVE_INFINITY;
  return new Admission({ octets: all, perAddress: all, connections: all });
}
