/**
 * Media and floor control of one leg over a WebSocket, for those who have no sockets, as pages: a packet is one binary frame,
 * RTP and RTCP in one connection (RFC 5761). When it breaks it is opened again: the token of the URI is good for as long as
 * the call is.
 */

import type { Clock } from "../../base/clock.ts";
import { isRtcp } from "../../bindings/media/index.ts";
import type { WebSocketLike } from "../sip/socket/websocket-client.ts";
import { FreshQueue } from "./fresh-queue.ts";
import { connectionAddress, type DatagramAddress, type DatagramHandler, type DatagramPort } from "./ports.ts";

export interface MediaSocketOptions {
  /** URI from the server's answer, with the token. */
  readonly uri: string;
  readonly clock: Clock;
  /** Opens a WebSocket; in browsers their own. */
  readonly open?: (uri: string) => WebSocketLike & { readonly bufferedAmount: number };
  /** Whether there is a connection, at each change. */
  readonly onState?: (isOpen: boolean) => void;
}

export interface MediaSocket {
  readonly media: DatagramPort;
  readonly floor: DatagramPort;
  /** The stand-in for the server's addresses. */
  readonly server: DatagramAddress;
  close(): void;
}

const OPEN = 1;
const SERVER = connectionAddress(0);
/** Milliseconds to the next attempt: the first at once, as after a change of the network. */
const WAITS = [0, 250, 500, 1000, 2000];

export function openMediaSocket({ uri, clock, onState, ...options }: MediaSocketOptions): MediaSocket {
  const open = options.open ?? ((to) => new WebSocket(to));
  const handlers: { media?: DatagramHandler; floor?: DatagramHandler } = {};
  let socket = dial();
  let failures = 0;
  let isClosed = false;
  let cancel: (() => void) | undefined;
  const queue = new FreshQueue({
    // Nothing leaves before there is a connection.
    get backlog() {
      return socket.readyState === OPEN ? socket.bufferedAmount : Number.POSITIVE_INFINITY;
    },
    send: (bytes) => socket.send(bytes as Uint8Array<ArrayBuffer>),
  });

  function dial() {
    const made = open(uri);
    made.binaryType = "arraybuffer";
    made.onopen = () => {
      failures = 0;
      onState?.(true);
      queue.flush();
    };
    made.onmessage = ({ data }: { data: ArrayBuffer | string }) => {
      if (typeof data === "string") return;
      const bytes = new Uint8Array(data);
      handlers[isRtcp(bytes) ? "floor" : "media"]?.(bytes, SERVER);
    };
    made.onerror = () => undefined;
    made.onclose = () => {
      queue.clear();
      if (isClosed) return;
      onState?.(false);
      const wait = WAITS[Math.min(failures++, WAITS.length - 1)]!;
      cancel = clock.after(wait, () => {
        socket = dial();
      });
    };
    return made;
  }

  function close(): void {
    if (isClosed) return;
    isClosed = true;
    cancel?.();
    queue.clear();
    socket.close();
  }

  const port = (kind: "media" | "floor"): DatagramPort => ({
    address: SERVER,
    send(bytes, _to, done) {
      if (isClosed) done(true);
      else queue.push(bytes, done);
    },
    receive(handler) {
      handlers[kind] = handler;
    },
    async close() {
      delete handlers[kind];
      if (handlers.media === undefined && handlers.floor === undefined) close();
    },
  });
  return { media: port("media"), floor: port("floor"), server: SERVER, close };
}
