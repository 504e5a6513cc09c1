/**
 * A port for programs that must be told theirs before they bind it, and bind it again after a restart. It is below those that
 * systems give to connections (32768 and up on Linux, 49152 and up elsewhere), or one of these could take it in between.
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";

const [FIRST, COUNT] = [12_000, 20_000];
const TRIES = 50;

/** One that is free for TCP and UDP. */
export async function freePort(host = "127.0.0.1"): Promise<number> {
  for (let tries = 1; ; tries++) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    const server = createServer();
    const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
    try {
      const listening = once(server, "listening");
      server.listen(port, host);
      await listening;
      const bound = once(socket, "listening");
      socket.bind(port, host);
      await bound;
      return port;
    } catch (error) {
      if (tries === TRIES) throw error;
    } finally {
      socket.close();
      await new Promise<unknown>((closed) => server.close(closed));
    }
  }
}
