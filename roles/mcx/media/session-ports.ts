/** The ports of one group's call: a socket for media and one for floor control, and connections that carry both of one leg. */
import { isRtcp } from "../../../bindings/media/index.ts";
import {
  type DatagramAddress,
  type DatagramHandler,
  type DatagramPort,
  isConnection,
} from "../../../transport/datagram/ports.ts";
import type { LegSocket } from "../../../transport/datagram/websocket-node.ts";

/** The sockets on which legs with a connection come in: `LegSockets`. */
export interface LegConnections {
  open(receive: DatagramHandler): LegSocket;
  send(bytes: Uint8Array, to: DatagramAddress, done: (failed: boolean) => void): void;
}

export class SessionPorts {
  readonly media: DatagramPort;
  readonly floor: DatagramPort;
  readonly #connections: LegConnections | undefined;
  readonly #handlers: { media?: DatagramHandler; floor?: DatagramHandler } = {};
  readonly #byUser = new Map<string, LegSocket>();

  constructor(media: DatagramPort, floor: DatagramPort, connections?: LegConnections) {
    this.#connections = connections;
    this.media = this.#joined(media, "media");
    this.floor = this.#joined(floor, "floor");
  }

  /** For a user who joins with a connection; undefined: this server has none. One of before stays until it is left. */
  connect(): LegSocket | undefined {
    return this.#connections?.open((bytes, from) =>
      this.#handlers[isRtcp(bytes) ? "floor" : "media"]?.(bytes, from),
    );
  }

  /** The user's leg is that one now, or has no connection. */
  enter(user: string, leg: LegSocket | undefined): void {
    this.#byUser.get(user)?.close();
    this.#byUser.delete(user);
    if (leg !== undefined) this.#byUser.set(user, leg);
  }

  #joined(port: DatagramPort, kind: "media" | "floor"): DatagramPort {
    return {
      address: port.address,
      send: (bytes, to, done) => {
        if (!isConnection(to)) port.send(bytes, to, done);
        else if (this.#connections === undefined) done(true);
        else this.#connections.send(bytes, to, done);
      },
      receive: (handler) => {
        this.#handlers[kind] = handler;
        port.receive(handler);
      },
      close: () => {
        delete this.#handlers[kind];
        for (const leg of this.#byUser.values()) leg.close();
        this.#byUser.clear();
        return port.close();
      },
    };
  }
}
