/** A port for programs that must be told theirs before they bind it. Another process may take it in between. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";

const TRIES = 5;

/** One that is free for TCP and UDP. */
export async function freePort(host = "127.0.0.1"): Promise<number> {
  for (let tries = 1; ; tries++) {
    const server = createServer().listen(0, host);
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
    try {
      const bound = once(socket, "listening");
      socket.bind(port, host);
      await bound;
      return port;
    } catch (error) {
      if (tries === TRIES) throw error;
    } finally {
      socket.close();
      server.close();
      await once(server, "close");
    }
  }
}
