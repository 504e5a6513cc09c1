/** An address that hostile inputs name wherever SIP, SDP, XML and HTTP can name one: nothing may come there. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import type { Place } from "./stock.ts";

export interface ThirdParty extends Place {
  /** Each thing that arrived: the transport, and its first octets. */
  readonly received: readonly string[];
  close(): Promise<void>;
}

const HOST = "127.0.0.9";
const SHOWN = 200;

export async function openThirdParty(): Promise<ThirdParty> {
  const received: string[] = [];
  const server = createServer((socket) => {
    received.push(`TCP connection from ${socket.remoteAddress}:${socket.remotePort}`);
    socket.on("error", () => undefined);
    socket.on("data", (octets) => received.push(`TCP ${octets.toString("latin1", 0, SHOWN)}`));
  });
  server.listen(0, HOST);
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const socket = createSocket("udp4");
  socket.on("message", (octets, from) => {
    received.push(`UDP from ${from.address}:${from.port} ${octets.toString("latin1", 0, SHOWN)}`);
  });
  socket.bind(port, HOST);
  await once(socket, "listening");
  return {
    host: HOST,
    port,
    received,
    async close() {
      socket.close();
      server.close();
    },
  };
}
