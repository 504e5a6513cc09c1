/** A medium in memory: ports that hear each other by address, and multicast groups, with loss and disorder if wanted. */
import {
  addressKey,
  type DatagramAddress,
  type DatagramHandler,
  type DatagramPort,
} from "../../../transport/datagram/ports.ts";

export class Medium {
  readonly #ports = new Map<string, DatagramHandler[]>();
  #next = 10_000;
  /** Decides whether and when a datagram is handed over. */
  deliver: (hand: () => void, to: DatagramAddress) => void = (hand) => hand();

  /** A port of its own, which hears a multicast group too when one is given. */
  open(host = "192.0.2.1", group?: DatagramAddress): DatagramPort {
    const address = { host, port: this.#next++ };
    let handler: DatagramHandler | undefined;
    const hear: DatagramHandler = (bytes, from) => handler?.(bytes, from);
    this.#hear(address, hear);
    if (group !== undefined) this.#hear(group, hear);
    return {
      address,
      send: (bytes, to, done) => {
        const copy = bytes.slice();
        for (const listener of this.#ports.get(addressKey(to)) ?? []) {
          if (listener !== hear) this.deliver(() => listener(copy, address), to);
        }
        done(false);
      },
      receive: (next) => {
        handler = next;
      },
      close: async () => {
        handler = undefined;
      },
    };
  }

  #hear(address: DatagramAddress, hear: DatagramHandler): void {
    const key = addressKey(address);
    this.#ports.set(key, [...(this.#ports.get(key) ?? []), hear]);
  }
}
