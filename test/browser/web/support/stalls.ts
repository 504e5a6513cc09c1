/** A way to a TCP port that stalls, as a network does that loses segments: chunks come late, in their order. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer, type Socket } from "node:net";
import { pause } from "../../../../base/deadline.ts";

/** One chunk in so many is held, in each direction: 5 %. */
const ONE_IN = 20;
const LEAST_MS = 100;
const MOST_MS = 200;

export interface StallingProxy {
  readonly port: number;
  /** Whether chunks are held. */
  isStalling: boolean;
  /** Chunks that were held. */
  readonly held: number;
  /** Lets nothing pass for so long from now on. */
  stall(milliseconds: number): void;
  /** Ends all connections; new ones are taken. */
  cut(): void;
  close(): void;
}

export async function openStallingProxy(to: number): Promise<StallingProxy> {
  const sockets = new Set<Socket>();
  let [chunks, held, blockedUntil] = [0, 0, 0];
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ port: to, host: "127.0.0.1", noDelay: true });
    for (const [from, into] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      let passing = Promise.resolve();
      from.on("data", (chunk) => {
        const isHeld = proxy.isStalling && ++chunks % ONE_IN === 0;
        if (isHeld) held++;
        const wait = isHeld ? LEAST_MS + Math.random() * (MOST_MS - LEAST_MS) : 0;
        const at = Math.max(performance.now() + wait, blockedUntil);
        passing = passing.then(async () => {
          const left = at - performance.now();
          if (left > 0) await pause(left);
          if (!into.destroyed) into.write(chunk);
        });
      });
      from.on("error", () => undefined);
      from.on("close", () => {
        sockets.delete(from);
        into.destroy();
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const proxy = {
    port: (server.address() as AddressInfo).port,
    isStalling: false,
    get held() {
      return held;
    },
    stall(milliseconds: number) {
      blockedUntil = performance.now() + milliseconds;
    },
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    close() {
      proxy.cut();
      server.close();
    },
  };
  return proxy;
}
