/** Datagrams of media and floor control, as a socket or a medium of tests gives and takes them. */

/** An address as the socket tells it: numeric, IPv6 without brackets. */
export interface DatagramAddress {
  readonly host: string;
  readonly port: number;
}

export type DatagramHandler = (bytes: Uint8Array, from: DatagramAddress) => void;

export interface DatagramPort {
  readonly address: DatagramAddress;
  /** Calls `done` once the octets have left or cannot leave. They must not change before. */
  send(bytes: Uint8Array, to: DatagramAddress, done: (failed: boolean) => void): void;
  /** The one who gets what comes in; what came before is dropped. */
  receive(handler: DatagramHandler): void;
  close(): Promise<void>;
}

export function addressKey({ host, port }: DatagramAddress): string {
  return `${host} ${port}`;
}
