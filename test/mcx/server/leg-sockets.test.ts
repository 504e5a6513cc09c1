/** The server's end of legs over WebSockets: who gets in, what is taken of them, and what waits for them. */
import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import WebSocket from "ws";
import { systemRandom } from "../../../bindings/index.ts";
import { Admission } from "../../../transport/admission/admission.ts";
import { FreshQueue } from "../../../transport/datagram/fresh-queue.ts";
import { MAX_PACKET_BYTES } from "../../../transport/datagram/ports.ts";
import { LegSockets, type LegSocketsOptions } from "../../../transport/datagram/websocket-node.ts";

const HOST = "127.0.0.1";
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function serve(options: Partial<LegSocketsOptions> = {}) {
  const refused: string[] = [];
  const sockets = new LegSockets({
    host: HOST,
    port: 0,
    origins: ["https://page.example"],
    random: systemRandom,
    refused: (code) => refused.push(code),
    ...options,
  });
  await sockets.listen();
  closers.push(() => sockets.close());
  const taken: number[][] = [];
  const leg = sockets.open((bytes) => taken.push([...bytes]));
  return { sockets, leg, taken, refused };
}

/** 101, or the status of the refusal. */
async function statusOf(uri: string, origin?: string): Promise<number> {
  const socket = new WebSocket(uri, origin === undefined ? {} : { origin });
  closers.push(() => socket.terminate());
  socket.on("error", () => undefined);
  return Promise.race([
    once(socket, "open").then(() => 101),
    once(socket, "unexpected-response").then(([, { statusCode }]) => statusCode as number),
  ]);
}

async function open(uri: string): Promise<WebSocket> {
  const socket = new WebSocket(uri);
  socket.on("error", () => undefined);
  closers.push(() => socket.terminate());
  await once(socket, "open");
  return socket;
}

const until = async (holds: () => boolean) => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
};

describe("the WebSocket of a leg", () => {
  it("needs the token of the leg, and for a page one of the configured origins", async () => {
    const { leg, refused } = await serve();
    expect(await statusOf(leg.uri)).toBe(101);
    expect(await statusOf(leg.uri, "https://page.example")).toBe(101);
    for (const [uri, origin] of [
      [leg.uri, "https://other.example"],
      [leg.uri.replace(/token=.*/, ""), undefined],
      [leg.uri.replace(/token=.*/, `token=${"0".repeat(32)}`), undefined],
      [`${leg.uri}&token=${"0".repeat(32)}`, undefined],
      [leg.uri.replace("/media", "/"), undefined],
    ] as const) {
      expect(await statusOf(uri, origin), uri).toBe(401);
    }
    expect(refused).toEqual(Array(5).fill("WS_TOKEN"));
    leg.close();
    expect(await statusOf(leg.uri)).toBe(401);
  });

  it("ends with its leg", async () => {
    const { leg } = await serve();
    const socket = await open(leg.uri);
    leg.close();
    await once(socket, "close");
  });

  it("is replaced by a later one with the same token, from which alone media are accepted", async () => {
    const { sockets, leg, taken } = await serve();
    const first = await open(leg.uri);
    const second = await open(leg.uri);
    await once(first, "close");
    second.send(Uint8Array.of(128, 8, 1));
    await until(() => taken.length > 0);
    const came = once(second, "message");
    sockets.send(Uint8Array.of(128, 8, 2), leg.address, () => undefined);
    expect([...((await came)[0] as Buffer)]).toEqual([128, 8, 2]);
  });

  it("ends when a frame is longer than a packet, and ignores text", async () => {
    const { leg, taken } = await serve();
    const socket = await open(leg.uri);
    socket.send("text");
    socket.send(new Uint8Array(MAX_PACKET_BYTES));
    await until(() => taken.length === 1);
    socket.send(new Uint8Array(MAX_PACKET_BYTES + 1));
    const [code] = await once(socket, "close");
    expect(code).toBe(1009);
    expect(taken).toHaveLength(1);
  });

  it("counts as authenticated with a token, while those without make room", async () => {
    const admission = new Admission({ perAddress: 2 });
    const { leg, sockets } = await serve({ admission });
    const proven = await open(leg.uri);
    const idle = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const socket = connect(sockets.port!, HOST);
        socket.on("error", () => undefined).resume();
        closers.push(() => socket.destroy());
        await once(socket, "connect");
        return socket;
      }),
    );
    await until(() => idle.filter(({ destroyed }) => destroyed).length === 2);
    expect(admission.figures).toMatchObject({ connections: 3, waitingConnections: 2 });
    expect(proven.readyState).toBe(WebSocket.OPEN);
  });

  it("is closed if it says nothing after it was opened", async () => {
    const { sockets, refused } = await serve({ messageTimeout: 100 });
    const socket = connect(sockets.port!, HOST);
    socket.on("error", () => undefined).resume();
    await once(socket, "close");
    expect(refused.length).toBeGreaterThan(0);
  });

  it("is closed if it answers no ping", async () => {
    const { leg } = await serve({ pingInterval: 50 });
    const socket = new WebSocket(leg.uri, { autoPong: false });
    closers.push(() => socket.terminate());
    await once(socket, "close");
  });

  it("gets the newest packets when it reads slowly, and a bounded number of them", async () => {
    const { sockets, leg } = await serve();
    const socket = await open(leg.uri);
    const left: boolean[] = [];
    (socket as unknown as { _socket: { pause(): void } })._socket.pause();
    const packet = (n: number) => {
      const bytes = new Uint8Array(1400);
      bytes.set([128, 8]);
      new DataView(bytes.buffer).setUint32(4, n);
      return bytes;
    };
    // More than a kernel holds for a connection.
    const count = 20_000;
    for (let n = 0; n < count; n++) {
      sockets.send(packet(n), leg.address, (failed) => left.push(failed));
      if (n % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    // All but the ten that still wait are accounted for.
    expect(left.length).toBeGreaterThanOrEqual(count - 10);
    expect(left.filter((failed) => failed).length).toBeGreaterThan(0);
    const numbers: number[] = [];
    socket.on("message", (data: Buffer) => numbers.push(data.readUInt32BE(4)));
    (socket as unknown as { _socket: { resume(): void } })._socket.resume();
    await until(() => numbers.at(-1) === count - 1);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  });
});

describe("the queue for a slow WebSocket", () => {
  const speech = (n: number) => Uint8Array.of(128, 8, n);
  const floor = (n: number) => Uint8Array.of(128, 204, n);

  it("has the newest speech and the floor control, in order", () => {
    const sent: number[] = [];
    const outlet = { backlog: Number.POSITIVE_INFINITY, send: (bytes: Uint8Array) => sent.push(bytes[2]!) };
    const queue = new FreshQueue(outlet);
    const failed: number[] = [];
    const push = (bytes: Uint8Array) => queue.push(bytes, (isLost) => isLost && failed.push(bytes[2]!));
    push(floor(1));
    for (let n = 2; n < 20; n++) push(speech(n));
    expect(failed).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10]);
    outlet.backlog = 0;
    queue.flush();
    expect(sent).toEqual([1, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
    outlet.backlog = Number.POSITIVE_INFINITY;
    for (let n = 20; n < 40; n++) push(floor(n));
    expect(failed.slice(9)).toEqual([20, 21, 22, 23, 24, 25, 26, 27, 28, 29]);
    queue.clear();
    expect(failed).toHaveLength(29);
  });
});
