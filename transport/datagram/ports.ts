/** Datagrams of media and floor control, as a socket or a medium of tests gives and takes them. */

/** An address as the socket tells it: numeric, IPv6 without brackets. Or that of a connection, see `connectionAddress`. */
export interface DatagramAddress {
  readonly host: string;
  readonly port: number;
}

/** An Ethernet frame without the heads of IP and UDP. */
export const MAX_PACKET_BYTES = 1472;

export type DatagramHandler = (bytes: Uint8Array, from: DatagramAddress) => void;

export interface DatagramPort {
  readonly address: DatagramAddress;
  /** Calls `done` once the octets have left or cannot leave. They must not change before. */
  send(bytes: Uint8Array, to: DatagramAddress, done: (failed: boolean) => void): void;
  /** The one who gets what comes in; what came before is dropped. */
  receive(handler: DatagramHandler): void;
  close(): Promise<void>;
}

const CONNECTION = "connection";

/**
 * Returns what stands for a connection where others have an address. Its host is no address of a network, so that
 * neither a datagram nor a session description can have it.
 */
export function connectionAddress(number: number): DatagramAddress {
  return { host: CONNECTION, port: number };
}

export function isConnection({ host }: DatagramAddress): boolean {
  return host === CONNECTION;
}

export function addressKey({ host, port }: DatagramAddress): string {
  return `${host} ${port}`;
}
