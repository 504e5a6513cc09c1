/** SIP over UDP on Node.js (RFC 3261 18). */
import { createSocket, type Socket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { isIP, isIPv6 } from "node:net";
import { plainAddress } from "../../admission/gate-node.ts";
import { type Flow, type HostPort, reachedAt, type SipTransport, type TransportEvents } from "./ports.ts";

export interface UdpOptions {
  /** Address to bind, and to name in Via and Contact unless `advertised` is given. */
  readonly host: string;
  /** 0 or nothing: a free one. */
  readonly port?: number;
  readonly advertised?: HostPort;
}

class UdpFlow implements Flow {
  readonly transport = "UDP";
  readonly reliable = false;
  readonly accepted = false;
  readonly remote: HostPort;
  readonly #socket: Socket;
  readonly #isOpen: () => boolean;

  constructor(socket: Socket, remote: HostPort, isOpen: () => boolean) {
    this.#socket = socket;
    this.remote = remote;
    this.#isOpen = isOpen;
  }

  get open(): boolean {
    return this.#isOpen();
  }

  send(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.open) {
        reject(new Error("the socket is closed"));
        return;
      }
      const { port, host } = this.remote;
      this.#socket.send(bytes, port, host, (error) => (error === null ? resolve() : reject(error)));
    });
  }

  close(): void {}

  abort(): void {}
}

export function udpTransport(options: UdpOptions): SipTransport {
  const family = isIPv6(options.host) ? 6 : 4;
  const socket = createSocket({ type: `udp${family}` });
  let open = false;
  let sentBy: HostPort = options.advertised ?? { host: options.host, port: options.port ?? 0 };
  const flowTo = (remote: HostPort) => new UdpFlow(socket, remote, () => open);
  return {
    name: "UDP",
    reliable: false,
    get sentBy() {
      return sentBy;
    },
    start: (events: TransportEvents) =>
      new Promise((resolve, reject) => {
        socket.once("error", reject);
        socket.bind(options.port ?? 0, options.host, () => {
          open = true;
          socket.off("error", reject);
          // An ICMP error of one peer is no error of the socket; the transactions see a timeout.
          socket.on("error", () => undefined);
          socket.on("message", (bytes, from) => {
            const remote = { host: plainAddress(from.address), port: from.port };
            // Empty lines keep a binding of a NAT alive and are no message (RFC 5626 3.5.2 has better means).
            if (bytes.some((octet) => octet !== 13 && octet !== 10)) events.message(bytes, flowTo(remote));
          });
          sentBy = reachedAt(sentBy, socket.address().port);
          resolve();
        });
      }),
    // A flow is known by the address that datagrams of the peer have.
    connect: async (remote) => flowTo(isIP(remote.host) === 0 ? await resolved(remote, family) : remote),
    close: () =>
      new Promise((resolve) => {
        if (!open) {
          resolve();
          return;
        }
        open = false;
        socket.close(() => resolve());
      }),
  };
}

async function resolved({ host, port }: HostPort, family: 4 | 6): Promise<HostPort> {
  const { address } = await lookup(host, { family });
  return { host: address, port };
}
