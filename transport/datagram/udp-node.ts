/** UDP sockets of Node.js, for one address or for a multicast group. */
import { createSocket, type Socket } from "node:dgram";
import { isIP, isIPv6 } from "node:net";
import type { DatagramAddress, DatagramHandler, DatagramPort } from "./ports.ts";

export interface UdpPortOptions {
  /** Address to bind; of a multicast group for all that it receives. */
  readonly host: string;
  /** 0 or nothing: a free one. */
  readonly port?: number;
  /** Octets of the kernel's buffer for what comes in. */
  readonly receiveBuffer?: number;
  /** Sends to multicast groups through this interface, and to listeners on the same machine. */
  readonly multicast?: MulticastOptions;
}

export interface MulticastOptions {
  /** Address of the interface. */
  readonly interface: string;
  /** Group to receive; undefined: only to send. */
  readonly join?: string;
  /** Networks that a datagram may cross. Default 1: none but the first. */
  readonly ttl?: number;
}

const MAPPED = "::ffff:";

/** @throws what node:dgram throws when the address cannot be bound or the group not joined */
export async function openUdpPort(options: UdpPortOptions): Promise<DatagramPort> {
  const socket = createSocket({ type: isIPv6(options.host) ? "udp6" : "udp4", reuseAddr: isShared(options) });
  let handler: DatagramHandler | undefined;
  try {
    await bind(socket, options);
  } catch (error) {
    socket.close();
    throw error;
  }
  // An ICMP error of one peer is no error of the socket.
  socket.on("error", () => undefined);
  socket.on("message", (bytes, { address, port }) => {
    const host = address.startsWith(MAPPED) ? address.slice(MAPPED.length) : address;
    handler?.(bytes, { host, port });
  });
  let closed: Promise<void> | undefined;
  return {
    address: { host: options.host, port: socket.address().port },
    send(bytes: Uint8Array, { host, port }: DatagramAddress, done) {
      // A name would be looked up.
      if (closed !== undefined || isIP(host) === 0) done(true);
      else socket.send(bytes, port, host, (error) => done(error !== null));
    },
    receive(next) {
      handler = next;
    },
    close() {
      handler = undefined;
      closed ??= new Promise((resolve) => socket.close(() => resolve()));
      return closed;
    },
  };
}

/** Several members on one machine listen to one group. */
function isShared({ multicast }: UdpPortOptions): boolean {
  return multicast?.join !== undefined;
}

async function bind(socket: Socket, { host, port, receiveBuffer, multicast }: UdpPortOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(port ?? 0, host, () => {
      socket.off("error", reject);
      resolve();
    });
  });
  if (receiveBuffer !== undefined) socket.setRecvBufferSize(receiveBuffer);
  if (multicast === undefined) return;
  socket.setMulticastInterface(multicast.interface);
  socket.setMulticastLoopback(true);
  socket.setMulticastTTL(multicast.ttl ?? 1);
  if (multicast.join !== undefined) socket.addMembership(multicast.join, multicast.interface);
}
