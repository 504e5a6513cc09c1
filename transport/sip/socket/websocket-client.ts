/**
 * SIP over one WebSocket to one server (RFC 7118), which is the way to everything. In browsers with their WebSocket;
 * Node.js 20 has none, see websocket-node.ts.
 */
import { toHex } from "../../../base/bytes.ts";
import type { RandomSource } from "../../../base/random.ts";
import type { Flow, HostPort, SipTransport, TransportEvents } from "./ports.ts";
import { fromFrame, SUBPROTOCOL, toFrame } from "./websocket-frames.ts";

/** The part of a WebSocket that is used: of a browser's, and of that of `ws`. */
export interface WebSocketLike {
  binaryType: string;
  readonly readyState: number;
  readonly protocol: string;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(): void;
  onopen: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  onmessage: ((event: { data: never }) => void) | null;
}

export interface WebSocketClientOptions {
  /** ws: or wss: */
  readonly url: string;
  readonly random: RandomSource;
  /** Opens a WebSocket; in browsers their own. */
  readonly open?: (url: string, protocol: string) => WebSocketLike;
}

const OPEN = 1;

class WebSocketFlow implements Flow {
  readonly transport: "WS" | "WSS";
  readonly reliable = true;
  readonly accepted = false;
  readonly remote: HostPort;
  readonly #socket: WebSocketLike;

  constructor(socket: WebSocketLike, transport: "WS" | "WSS", remote: HostPort) {
    this.#socket = socket;
    this.transport = transport;
    this.remote = remote;
  }

  get open(): boolean {
    return this.#socket.readyState === OPEN;
  }

  async send(bytes: Uint8Array): Promise<void> {
    if (!this.open) throw new Error("the WebSocket is closed");
    this.#socket.send(toFrame(bytes) as string | Uint8Array<ArrayBuffer>);
  }

  close(): void {
    this.#socket.close();
  }

  /** A browser's WebSocket waits for the peer to say that it closes, up to minutes: it is over at once for us. */
  abort(): void {
    this.#socket.close();
    this.#socket.onclose?.(undefined as never);
    this.#socket.onclose = null;
  }
}

export function webSocketTransport(options: WebSocketClientOptions): SipTransport {
  const url = new URL(options.url);
  const name = url.protocol === "wss:" ? "WSS" : "WS";
  const remote = { host: url.hostname, port: Number(url.port || (name === "WSS" ? 443 : 80)) };
  const open = options.open ?? ((to, protocol) => new WebSocket(to, protocol) as WebSocketLike);
  // RFC 7118 5: a client that cannot be connected to has a name of its own that leads nowhere.
  const sentBy = { host: `${toHex(options.random(8))}.invalid` };
  let events: TransportEvents | undefined;
  let flow: Promise<WebSocketFlow> | undefined;
  let closing = false;

  function dial(): Promise<WebSocketFlow> {
    return new Promise((resolve, reject) => {
      const socket = open(options.url, SUBPROTOCOL);
      const made = new WebSocketFlow(socket, name, remote);
      let opened = false;
      socket.binaryType = "arraybuffer";
      socket.onopen = () => {
        opened = true;
        // RFC 7118 4.1: a server that does not speak SIP does not confirm it.
        if (closing || socket.protocol !== SUBPROTOCOL) socket.close();
        else resolve(made);
      };
      socket.onerror = () => undefined;
      socket.onclose = () => {
        flow = undefined;
        reject(new Error("no WebSocket"));
        if (opened) events?.closed(made);
      };
      socket.onmessage = ({ data }) => {
        const frame = fromFrame(data);
        if (frame === "pong") events?.pong?.(made);
        else if (frame !== "ping") events?.message(frame, made);
      };
    });
  }

  return {
    name,
    reliable: true,
    sentBy,
    start: async (given) => {
      events = given;
    },
    connect: () => {
      flow ??= dial();
      return flow;
    },
    close: async () => {
      closing = true;
      await flow?.then(
        (made) => made.close(),
        () => undefined,
      );
    },
  };
}
