/**
 * A UDP relay that loses some of the datagrams, with a socket of its own for each sender, as a NAT has. It has an address
 * of its own, so that a Contact behind it is not where its datagrams come from.
 */
import { createSocket, type Socket } from "node:dgram";

export interface LossyRelay {
  readonly port: number;
  readonly lost: number;
  readonly passed: number;
  close(): Promise<void>;
}

export interface LossyRelayOptions {
  /** Address of the relay. */
  readonly host: string;
  readonly target: { readonly host: string; readonly port: number };
  /** Share of the datagrams that are lost, each way. */
  readonly loss: number;
  /** Draws a number in [0, 1). */
  readonly fraction: () => number;
}

export async function startLossyRelay(options: LossyRelayOptions): Promise<LossyRelay> {
  const { host, target, loss, fraction } = options;
  const front = createSocket("udp4");
  const backs = new Map<string, Socket>();
  let [lost, passed] = [0, 0];
  const pass = (socket: Socket, data: Buffer, to: { host: string; port: number }) => {
    if (fraction() < loss) {
      lost++;
      return;
    }
    passed++;
    // A server that is gone answers with an ICMP error, which is nothing to a network.
    socket.send(data, to.port, to.host, () => undefined);
  };
  const backOf = (sender: { host: string; port: number }) => {
    const name = `${sender.host}:${sender.port}`;
    const known = backs.get(name);
    if (known !== undefined) return known;
    const back = createSocket("udp4");
    back.on("error", () => undefined);
    back.on("message", (data) => pass(front, data, sender));
    back.bind(0, host);
    backs.set(name, back);
    return back;
  };
  front.on("error", () => undefined);
  front.on("message", (data, { address, port }) => pass(backOf({ host: address, port }), data, target));
  await new Promise<void>((resolve) => front.bind(0, host, resolve));
  return {
    port: front.address().port,
    get lost() {
      return lost;
    },
    get passed() {
      return passed;
    },
    async close() {
      const sockets = [front, ...backs.values()];
      await Promise.all(sockets.map((each) => new Promise<void>((resolve) => each.close(() => resolve()))));
    },
  };
}
