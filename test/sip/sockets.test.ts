/** The endpoint on the sockets of this machine: UDP, TCP, TLS, WS and WSS. */
import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import WebSocket from "ws";
import { toHex, utf8 } from "../../base/bytes.ts";
import {
  CONTACT,
  createSipEndpoint,
  type Flow,
  type NotifierSubscription,
  type SipEndpoint,
  type SipTransport,
  systemClock,
  webSocketTransport,
} from "../../transport/sip/index.ts";
import {
  onePort,
  openWebSocket,
  tcpTransport,
  udpTransport,
  webSocketServerTransport,
} from "../../transport/sip/index-node.ts";
import { cert, key } from "./support/certificate.ts";

const HOST = "127.0.0.1";
const random = (length: number) => new Uint8Array(randomBytes(length));
/** Every octet, and so no UTF-8. */
const OCTETS = Uint8Array.from({ length: 1024 }, (_, i) => i & 255);
const TEXT = utf8("<xcap-diff/> Größe 大");

const open: SipEndpoint[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((endpoint) => endpoint.close()));
});

async function endpoint(...transports: SipTransport[]): Promise<SipEndpoint> {
  const made = createSipEndpoint({ transports, clock: systemClock, random, user: "u" });
  open.push(made);
  await made.start();
  return made;
}

interface Pair {
  server: () => SipTransport;
  client: (server: SipTransport) => SipTransport;
  scheme?: string;
}

const tls = { server: { cert, key }, client: { ca: cert } };
const url = (protocol: string, { sentBy }: SipTransport) => `${protocol}://${HOST}:${sentBy.port}/sip`;
const PAIRS: Record<string, Pair> = {
  UDP: { server: () => udpTransport({ host: HOST }), client: () => udpTransport({ host: HOST }) },
  TCP: {
    server: () => tcpTransport({ listen: { host: HOST } }),
    client: () => tcpTransport({ listen: { host: HOST } }),
  },
  "TCP of a client that does not listen": {
    server: () => tcpTransport({ listen: { host: HOST } }),
    client: () => tcpTransport({}),
  },
  TLS: {
    server: () => tcpTransport({ listen: { host: HOST }, tls }),
    client: () => tcpTransport({ tls }),
    scheme: "sips",
  },
  WS: {
    server: () => webSocketServerTransport({ host: HOST }),
    client: (server) => webSocketTransport({ url: url("ws", server), random, open: openWebSocket() }),
  },
  WSS: {
    server: () => webSocketServerTransport({ host: HOST, tls: { cert, key } }),
    client: (server) =>
      webSocketTransport({ url: url("wss", server), random, open: openWebSocket({ ca: cert }) }),
  },
};

describe.each(Object.entries(PAIRS))("SIP over %s", (_, { server, client, scheme = "sip" }) => {
  async function pair(...others: SipTransport[]) {
    const far = server();
    const gms = await endpoint(far, ...others.filter(({ name }) => name !== far.name));
    const near = client(far);
    const alice = await endpoint(near);
    const named =
      far.name === "UDP" || scheme === "sips" ? "" : `;transport=${far.name.slice(0, 3).toLowerCase()}`;
    return { gms, alice, uri: `${scheme}:gms@${HOST}:${far.sentBy.port}${named}`, near };
  }

  it("carries any octet, both ways", async () => {
    const { gms, alice, uri } = await pair();
    gms.onRequest("MESSAGE", ({ request }) => ({
      status: 200,
      contentType: "application/mikey",
      body: request.body,
    }));
    for (const body of [OCTETS, TEXT, new Uint8Array(0)]) {
      const options = {
        method: "MESSAGE",
        uri,
        from: "sip:alice@example.com",
        contentType: "application/mikey",
        body,
      };
      const response = await alice.request(options);
      expect(response.status).toBe(200);
      expect(toHex(response.body)).toBe(toHex(body));
    }
  });

  it("carries a request to a client on the flow that the client opened, whatever else the server listens on", async () => {
    const { gms, alice, uri } = await pair(
      udpTransport({ host: HOST }),
      tcpTransport({ listen: { host: HOST } }),
    );
    const opened: { contact: string; flow: Flow }[] = [];
    gms.onRequest("PUBLISH", ({ request, flow }) => {
      const contact = request.headers.get(CONTACT);
      if (contact !== undefined && contact !== "*") opened.push({ contact: contact.uri, flow });
      return { status: 200 };
    });
    alice.onRequest("MESSAGE", ({ request }) => ({
      status: request.body.length === OCTETS.length ? 200 : 400,
    }));
    expect((await alice.request({ method: "PUBLISH", uri, from: "sip:alice@example.com" })).status).toBe(200);
    const [{ contact, flow }] = opened as [(typeof opened)[0]];
    const message = { method: "MESSAGE", uri: contact, from: "sip:gms@example.com", peer: flow };
    const answer = await gms.request({ ...message, contentType: "application/mikey", body: OCTETS });
    expect(answer.status).toBe(200);
  });

  it("carries subscriptions, whose NOTIFYs reach the subscriber", async () => {
    const { gms, alice, uri } = await pair();
    let subscription: NotifierSubscription | undefined;
    gms.notifier({
      package: "xcap-diff",
      onSubscribe: (given) => {
        subscription = given;
        return { state: "active" };
      },
      current: () => ({ contentType: "application/mikey", body: OCTETS }),
    });
    const bodies: string[] = [];
    const ended = new Promise((resolve) => {
      alice.subscribe({
        uri,
        from: "sip:alice@example.com",
        event: { value: "xcap-diff", params: new Map() },
        onNotify: ({ body }) => {
          bodies.push(toHex(body));
          return { status: bodies.length === 2 ? 488 : 200 };
        },
        onEnd: resolve,
      });
    });
    await expect.poll(() => bodies.length).toBe(1);
    const result = await subscription!.notify({ contentType: "application/mikey", body: OCTETS });
    expect(result.status).toBe(488);
    expect(await subscription!.terminate("noresource")).toMatchObject({ status: 200 });
    expect(await ended).toMatchObject({ cause: "terminated", reason: "noresource" });
    expect(bodies).toEqual([toHex(OCTETS), toHex(OCTETS), ""]);
  });
});

describe("SIP over a TCP connection", () => {
  async function raw(server: SipTransport, ...pieces: (string | Uint8Array)[]): Promise<string> {
    const socket = connect(server.sentBy.port!, HOST);
    let heard = "";
    socket.on("data", (bytes) => {
      heard += bytes.toString("latin1");
    });
    for (const piece of pieces) socket.write(piece);
    const closed = new Promise((resolve) => socket.once("close", resolve));
    await Promise.race([closed, expect.poll(() => heard.length).toBeGreaterThan(0)]);
    socket.destroy();
    return heard;
  }

  it("answers a keep-alive with one CRLF (RFC 5626 4.4.1)", async () => {
    const server = tcpTransport({ listen: { host: HOST } });
    await endpoint(server);
    expect(await raw(server, "\r\n\r\n")).toBe("\r\n");
  });

  it("is closed when messages have no borders, or are too large", async () => {
    const limits = { head: 500, lines: 50, body: 100 };
    const server = tcpTransport({ listen: { host: HOST }, limits });
    await endpoint(server);
    expect(await raw(server, "OPTIONS sip:a@b.c SIP/2.0\r\n\r\n")).toBe("");
    expect(await raw(server, "OPTIONS sip:a@b.c SIP/2.0\r\nl: 101\r\n\r\n")).toBe("");
    expect(await raw(server, "x".repeat(501))).toBe("");
  });

  it("is closed when the peer says nothing, or does not finish a message", async () => {
    const server = tcpTransport({ listen: { host: HOST }, messageTimeout: 50 });
    await endpoint(server);
    expect(await raw(server)).toBe("");
    expect(await raw(server, "OPTIONS sip:a@b.c SIP/2.0\r\n")).toBe("");
  });

  it("reports that nobody listens, and tries again later", async () => {
    const listener = tcpTransport({ listen: { host: HOST } });
    const gone = await endpoint(listener);
    await gone.close();
    const alice = await endpoint(tcpTransport({}));
    const { port } = listener.sentBy;
    const request = { method: "OPTIONS", uri: `sip:${HOST}:${port};transport=tcp`, from: "sip:a@b.c" };
    await expect(alice.request(request)).rejects.toMatchObject({ code: "SIP_UNREACHABLE" });
    await endpoint(tcpTransport({ listen: { host: HOST, port: port! } }));
    expect(await alice.request(request)).toMatchObject({ status: 200 });
  });

  it("does not trust an unknown certificate", async () => {
    const server = tcpTransport({ listen: { host: HOST }, tls });
    await endpoint(server);
    const eve = await endpoint(tcpTransport({ tls: {} }));
    const request = { method: "OPTIONS", uri: `sips:${HOST}:${server.sentBy.port}`, from: "sip:a@b.c" };
    await expect(eve.request(request)).rejects.toMatchObject({ code: "SIP_UNREACHABLE" });
  });
});

it("TLS to an address that DNS gave for a domain needs a certificate for the domain (RFC 5922 4)", async () => {
  const server = tcpTransport({ listen: { host: HOST }, tls });
  await endpoint(server);
  const client = tcpTransport({ tls });
  await endpoint(client);
  const remote = { host: HOST, port: server.sentBy.port! };
  expect((await client.connect(remote)).open).toBe(true);
  // The connection that is there was checked for another name, and does not do.
  await expect(client.connect({ ...remote, domain: "gms.home.example" })).rejects.toMatchObject({
    code: "ERR_TLS_CERT_ALTNAME_INVALID",
  });
});

describe("SIP over WebSocket", () => {
  const OPTIONS = [
    "OPTIONS sip:a@b.c SIP/2.0",
    "Via: SIP/2.0/WS x.invalid;branch=z9hG4bK1",
    "f: <sip:a@b.c>;tag=1",
    "t: <sip:a@b.c>",
    "i: 1",
    "CSeq: 1 OPTIONS",
    "",
    "",
  ].join("\r\n");

  it.each(["text", "binary"])("reads %s frames, and answers a keep-alive with one CRLF", async (kind) => {
    const server = webSocketServerTransport({ host: HOST });
    await endpoint(server);
    const socket = new WebSocket(url("ws", server), "sip");
    await new Promise((resolve) => socket.once("open", resolve));
    const answers: string[] = [];
    socket.on("message", (data) => answers.push(String(data)));
    socket.send(kind === "text" ? "\r\n\r\n" : utf8("\r\n\r\n"));
    socket.send(kind === "text" ? OPTIONS : utf8(OPTIONS));
    await expect.poll(() => answers.length).toBe(2);
    expect(answers.filter((answer) => answer === "\r\n")).toHaveLength(1);
    expect(answers.join("")).toMatch(/SIP\/2.0 200 OK\r\n/);
    socket.terminate();
  });

  it("needs the subprotocol, and an allowed origin (RFC 7118 4.2, RFC 6455 10.2)", async () => {
    const server = webSocketServerTransport({ host: HOST, origins: ["https://mcx.example.com"] });
    await endpoint(server);
    const outcome = (protocol: string[], origin?: string) =>
      new Promise<string>((resolve) => {
        const socket = new WebSocket(url("ws", server), protocol, origin === undefined ? {} : { origin });
        socket.once("open", () => {
          resolve(`open ${socket.protocol}`);
          socket.terminate();
        });
        socket.once("error", (error) => resolve(error.message));
      });
    expect(await outcome(["chat", "sip"])).toBe("open sip");
    expect(await outcome(["sip"], "https://mcx.example.com")).toBe("open sip");
    expect(await outcome(["chat"])).toContain("401");
    expect(await outcome(["sip"], "https://evil.example.com")).toContain("401");
  });
});

describe("UDP and TCP on one port", () => {
  const udp = (port = 0) => udpTransport({ host: HOST, port });
  const tcp = (port: number) => tcpTransport({ listen: { host: HOST, port } });
  const portsOf = (transports: readonly SipTransport[]) => transports.map(({ sentBy }) => sentBy.port);

  /** A port that is taken for TCP, and free for UDP. */
  async function takenPort(): Promise<number> {
    const taken = tcp(0);
    await endpoint(taken);
    return taken.sentBy.port!;
  }

  it("have the same number when any will do", async () => {
    const both = onePort(udp, tcp);
    await endpoint(...both);
    const [first, second] = portsOf(both);
    expect(first).toBeGreaterThan(0);
    expect(second).toBe(first);
    expect(both.map(({ name }) => name)).toEqual(["UDP", "TCP"]);
  });

  it("get another number when UDP's is in use for TCP, and receive on both", async () => {
    const taken = await takenPort();
    const numbers = [taken, 0];
    const both = onePort(() => udp(numbers.shift()), tcp);
    const server = await endpoint(...both);
    const [first, second] = portsOf(both);
    expect(first).not.toBe(taken);
    expect(second).toBe(first);
    server.onRequest("MESSAGE", ({ request }) => ({ status: 200, body: request.body }));
    const client = await endpoint(udp(), tcp(0));
    for (const transport of ["udp", "tcp"]) {
      const uri = `sip:${HOST}:${first};transport=${transport}`;
      const { body } = await client.request({
        method: "MESSAGE",
        uri,
        from: "sip:a@b",
        to: uri,
        contentType: "text/plain",
        body: TEXT,
      });
      expect(toHex(body)).toBe(toHex(TEXT));
    }
  });

  it("are given up with the reason when no number is free for both", async () => {
    const taken = await takenPort();
    const both = onePort(() => udp(taken), tcp);
    await expect(endpoint(...both)).rejects.toMatchObject({ code: "EADDRINUSE" });
    await endpoint(udp(taken));
  });

  it("are named with the advertised host name", async () => {
    const advertised = { host: "sip.example.org", port: 0 };
    const transports = [
      udpTransport({ host: HOST, advertised }),
      tcpTransport({ listen: { host: HOST }, advertised }),
      webSocketServerTransport({ host: HOST, advertised }),
    ];
    await endpoint(...transports);
    for (const { sentBy } of transports) {
      expect(sentBy.host).toBe("sip.example.org");
      expect(sentBy.port).toBeGreaterThan(0);
    }
  });
});
