/** Connections that nobody has vouched for, on the sockets of this machine. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import WebSocket from "ws";
import { utf8 } from "../../base/bytes.ts";
import { Admission, type AdmissionLimits } from "../../transport/admission/admission.ts";
import {
  createSipEndpoint,
  type SipEndpoint,
  type SipTransport,
  systemClock,
} from "../../transport/sip/index.ts";
import { tcpTransport, udpTransport, webSocketServerTransport } from "../../transport/sip/index-node.ts";
import { cert, key } from "./support/certificate.ts";

const HOST = "127.0.0.1";
const random = (length: number) => new Uint8Array(randomBytes(length));
const LIMITS = { head: 4096, lines: 50, body: 4096 };

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface World {
  readonly admission: Admission;
  readonly endpoint: SipEndpoint;
  /** Codes of the peers that were turned away. */
  readonly refused: string[];
}

async function serve(transport: SipTransport, admission: Admission): Promise<World> {
  const refused: string[] = [];
  const endpoint = createSipEndpoint({
    transports: [transport],
    clock: systemClock,
    random,
    admission,
    limits: LIMITS,
    log: (event, { code }) => event === "sip-refused" && refused.push(String(code)),
  });
  closers.push(() => endpoint.close());
  endpoint.onRequest("MESSAGE", ({ request }) => ({ status: request.body.length > 0 ? 200 : 401 }));
  await endpoint.start();
  return { admission, endpoint, refused };
}

const bounds = (limits: Partial<AdmissionLimits> = {}) => new Admission(limits);

async function dial(port: number): Promise<Socket> {
  const socket = connect(port, HOST);
  socket.on("error", () => undefined).resume();
  closers.push(() => socket.destroy());
  await once(socket, "connect");
  return socket;
}

function message(method: string, transport: string, body = "", branch = "1"): string {
  return [
    `${method} sip:a@b.c SIP/2.0`,
    `Via: SIP/2.0/${transport} x.invalid;branch=z9hG4bK${branch};rport`,
    "f: <sip:a@b.c>;tag=1",
    "t: <sip:a@b.c>",
    `i: ${branch}`,
    `CSeq: 1 ${method}`,
    ...(body === "" ? [] : ["c: text/plain"]),
    `l: ${body.length}`,
    "",
    body,
  ].join("\r\n");
}

const said = (socket: Socket) => once(socket, "data").then(([bytes]) => String(bytes));

describe("waiting TCP connections", () => {
  const server = (admission: Admission, messageTimeout = 30_000) =>
    tcpTransport({ listen: { host: HOST }, limits: LIMITS, admission, messageTimeout });

  it("make room, the oldest without proof first, while one with proof stays", async () => {
    // Four fifths of it are four connections.
    const admission = bounds({ octets: 60 << 10 });
    const transport = server(admission);
    const { refused } = await serve(transport, admission);
    const port = transport.sentBy.port!;
    const member = await dial(port);
    member.write(message("MESSAGE", "TCP", "x"));
    expect(await said(member)).toContain(" 200 ");
    const attackers = [await dial(port), await dial(port), await dial(port), await dial(port)];
    const ended = once(attackers[0]!, "close");
    attackers.push(await dial(port));
    await ended;
    expect(refused).toContain("memory");
    expect(attackers.slice(1).every((socket) => !socket.destroyed)).toBe(true);
    member.write(message("MESSAGE", "TCP", "x", "2"));
    expect(await said(member)).toContain(" 200 ");
    expect(admission.figures).toMatchObject({ connections: 5, waitingConnections: 4 });
  });

  it("get no proof by a refused request, nor by an OPTIONS", async () => {
    const admission = bounds();
    const transport = server(admission);
    await serve(transport, admission);
    const socket = await dial(transport.sentBy.port!);
    socket.write(message("MESSAGE", "TCP"));
    expect(await said(socket)).toContain(" 401 ");
    socket.write(message("OPTIONS", "TCP", "", "2"));
    expect(await said(socket)).toContain(" 200 ");
    expect(admission.figures.waitingConnections).toBe(1);
  });

  it("count the octets of an unfinished message until it is complete", async () => {
    const admission = bounds();
    const transport = server(admission);
    await serve(transport, admission);
    const socket = await dial(transport.sentBy.port!);
    await expect.poll(() => admission.figures.waitingConnections).toBe(1);
    const idle = admission.figures.waitingOctets;
    const text = message("MESSAGE", "TCP", "x".repeat(4000));
    socket.write(text.slice(0, 3000));
    await expect.poll(() => admission.figures.waitingOctets).toBeGreaterThanOrEqual(idle + 3000);
    socket.write(text.slice(3000));
    await said(socket);
    expect(admission.figures.waitingOctets).toBe(0);
  });

  it("end after a 513 for a body above the limit, by its Content-Length", async () => {
    const admission = bounds();
    const transport = server(admission);
    const { refused } = await serve(transport, admission);
    const socket = await dial(transport.sentBy.port!);
    socket.write(message("MESSAGE", "TCP").replace("l: 0", "l: 4097"));
    const closed = once(socket, "close");
    expect(await said(socket)).toContain(" 513 ");
    await closed;
    expect(refused).toEqual(["SIP_TOO_LARGE"]);
  });

  it("end before unread answers fill the memory, if the peer never reads", async () => {
    const admission = bounds();
    const transport = server(admission);
    await serve(transport, admission);
    const socket = await dial(transport.sentBy.port!);
    socket.pause();
    const padding = "y".repeat(3000);
    let isOpen = true;
    const closed = new Promise<void>((resolve) => {
      socket.once("close", () => {
        isOpen = false;
        resolve();
      });
    });
    // The buffers of both kernels take some megabytes.
    for (let i = 0; isOpen && i < 20_000; i++) {
      const isFull = !socket.write(message("MESSAGE", "TCP", "", `${padding}${i}`));
      const drained = new Promise<void>((resolve) => void socket.once("drain", resolve));
      if (isFull) await Promise.race([drained, closed]);
    }
    await closed;
    await expect.poll(() => admission.figures.connections).toBe(0);
  });

  it("with unfinished messages do not delay the closing of an endpoint", async () => {
    const admission = bounds();
    const transport = server(admission);
    const { endpoint } = await serve(transport, admission);
    const socket = await dial(transport.sentBy.port!);
    socket.write("MESSAGE sip:a");
    await expect.poll(() => admission.figures.waitingConnections).toBe(1);
    await endpoint.close();
    await expect.poll(() => admission.figures.connections).toBe(0);
  });
});

describe("waiting TLS connections", () => {
  it("that never finish the handshake are counted, end in time, and do not delay the closing", async () => {
    const admission = bounds();
    const transport = tcpTransport({
      listen: { host: HOST },
      tls: { server: { cert, key } },
      admission,
      messageTimeout: 300,
    });
    const { endpoint, refused } = await serve(transport, admission);
    const socket = await dial(transport.sentBy.port!);
    await expect.poll(() => admission.figures.waitingConnections).toBe(1);
    await once(socket, "close");
    expect(refused).toEqual(["TLS_HANDSHAKE"]);
    await dial(transport.sentBy.port!);
    await expect.poll(() => admission.figures.connections).toBe(1);
    await endpoint.close();
  });
});

describe("waiting WebSocket connections", () => {
  const server = (admission: Admission, messageTimeout = 30_000, pingInterval = 30_000) =>
    webSocketServerTransport({ host: HOST, limits: LIMITS, admission, messageTimeout, pingInterval });

  async function open({ sentBy }: SipTransport): Promise<WebSocket> {
    const socket = new WebSocket(`ws://${HOST}:${sentBy.port}/`, "sip");
    socket.on("error", () => undefined);
    closers.push(() => socket.terminate());
    await once(socket, "open");
    return socket;
  }

  it("end in time if a fragmented message never ends, even if pings are answered", async () => {
    const admission = bounds();
    const transport = server(admission, 400, 50);
    const { refused } = await serve(transport, admission);
    const socket = await open(transport);
    let pings = 0;
    socket.on("ping", () => pings++);
    socket.send("MESSAGE", { fin: false });
    await once(socket, "close");
    expect(pings).toBeGreaterThan(1);
    expect(refused).toEqual(["TIMEOUT"]);
  });

  it("end with 1009 for a message above the limit, by the length of its frame", async () => {
    const admission = bounds();
    const transport = server(admission);
    await serve(transport, admission);
    const socket = await open(transport);
    socket.send("x".repeat(LIMITS.head + LIMITS.body + 1));
    const [code] = await once(socket, "close");
    expect(code).toBe(1009);
  });

  it("are refused a message in a thousand fragments of one octet", async () => {
    const admission = bounds();
    const transport = server(admission);
    await serve(transport, admission);
    const socket = await open(transport);
    for (let i = 0; i < 2000 && socket.readyState === WebSocket.OPEN; i++) socket.send("x", { fin: false });
    const [code] = await once(socket, "close");
    expect(code).toBe(1008);
  });

  it("count fragments with their overhead", async () => {
    const admission = bounds();
    const transport = server(admission);
    await serve(transport, admission);
    const socket = await open(transport);
    await expect.poll(() => admission.figures.waitingConnections).toBe(1);
    const idle = admission.figures.waitingOctets;
    for (let i = 0; i < 100; i++) socket.send("x", { fin: false });
    await expect.poll(() => admission.figures.waitingOctets).toBeGreaterThanOrEqual(idle + 100 * 512);
  });

  it("that never finish the upgrade end in time", async () => {
    const admission = bounds();
    const transport = server(admission, 300);
    await serve(transport, admission);
    const socket = await dial(transport.sentBy.port!);
    socket.write("GET / HTTP/1.1\r\nHost: x\r\n");
    const closed = once(socket, "close");
    socket.resume();
    await closed;
    await expect.poll(() => admission.figures.connections).toBe(0);
  });

  it("that ask for no upgrade are answered with 426, and end", async () => {
    const admission = bounds();
    const transport = server(admission);
    await serve(transport, admission);
    const socket = await dial(transport.sentBy.port!);
    const closed = once(socket, "close");
    socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(await said(socket)).toMatch(/^HTTP\/1.1 426 /);
    await closed;
  });

  it("get proof by a served request, and their pings are answered before and after", async () => {
    const admission = bounds();
    const transport = server(admission);
    await serve(transport, admission);
    const socket = await open(transport);
    socket.ping();
    await once(socket, "pong");
    socket.send(message("MESSAGE", "WS", "x"));
    expect(String(await once(socket, "message"))).toContain(" 200 ");
    expect(admission.figures).toMatchObject({ connections: 1, waitingConnections: 0, waitingOctets: 0 });
  });
});

describe("UDP without proof", () => {
  it("has a limit of octets for the answers kept for repeated requests", async () => {
    const admission = bounds({ octets: 200 << 10 });
    const transport = udpTransport({ host: HOST });
    const { endpoint } = await serve(transport, admission);
    const attacker = createSipEndpoint({
      transports: [udpTransport({ host: HOST })],
      clock: systemClock,
      random,
    });
    closers.push(() => attacker.close());
    await attacker.start();
    const uri = `sip:a@${HOST}:${transport.sentBy.port}`;
    let most = 0;
    for (let i = 0; i < 100; i++) {
      const { status } = await attacker.request({ method: "MESSAGE", uri, from: "sip:e@x.y" });
      expect(status).toBe(401);
      most = Math.max(most, admission.figures.requestOctets);
    }
    expect(most).toBeGreaterThan(10_000);
    expect(most).toBeLessThanOrEqual((200 << 10) / 5);
    expect(endpoint.transactions).toBeLessThan(20);
  });

  it("gets three times the octets of a refused INVITE at most", async () => {
    const admission = bounds();
    const transport = udpTransport({ host: HOST });
    const timers = { t1: 20, t2: 100, t4: 100 };
    const endpoint = createSipEndpoint({
      transports: [transport],
      clock: systemClock,
      random,
      admission,
      timers,
    });
    closers.push(() => endpoint.close());
    endpoint.onInvite(() => ({ status: 401 }));
    await endpoint.start();
    const far = udpTransport({ host: HOST });
    closers.push(() => far.close());
    let received = 0;
    await far.start({ message: (bytes) => (received += bytes.length), closed: () => undefined });
    const flow = await far.connect({ host: HOST, port: transport.sentBy.port! });
    const invite = utf8(message("INVITE", "UDP"));
    await flow.send(invite);
    await expect.poll(() => received).toBeGreaterThan(0);
    // 64 T1, after which nothing is sent any more.
    await expect.poll(() => endpoint.transactions, { timeout: 20_000 }).toBe(0);
    expect(received).toBeLessThanOrEqual(3 * invite.length);
  });
});
