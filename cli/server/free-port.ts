/** A port for SIP, where UDP and TCP share the number (RFC 3261 18.1.1). */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";

/** Another process may take a port between looking and binding. */
export const PORT_TRIES = 5;

/** One that is free for TCP and UDP. */
export async function freePort(host: string): Promise<number> {
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
      if (tries === PORT_TRIES) throw error;
    } finally {
      socket.close();
      server.close();
      await once(server, "close");
    }
  }
}
