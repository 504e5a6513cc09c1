/** NOTIFYs larger than a datagram may be (RFC 3261 18.1.1), in the dialog that the subscriber began. */
import { randomBytes } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import { toHex } from "../../base/bytes.ts";
import {
  createSipEndpoint,
  type NotifierSubscription,
  type SipEndpoint,
  type SipTransport,
  systemClock,
  webSocketTransport,
} from "../../transport/sip/index.ts";
import {
  openWebSocket,
  tcpTransport,
  udpTransport,
  webSocketServerTransport,
} from "../../transport/sip/index-node.ts";

const HOST = "127.0.0.1";
const random = (length: number) => new Uint8Array(randomBytes(length));
const LARGE = Uint8Array.from({ length: 20_000 }, (_, i) => (i * 7) & 255);
const SMALL = LARGE.slice(0, 200);

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

/** UDP and TCP on one port, as a Contact without a transport parameter means both. */
async function both(): Promise<{ udp: SipTransport; tcp: SipTransport; endpoint: SipEndpoint }> {
  for (;;) {
    const udp = udpTransport({ host: HOST });
    await udp.start({ message: () => undefined, closed: () => undefined });
    const { port } = udp.sentBy;
    await udp.close();
    const transports = {
      udp: udpTransport({ host: HOST, port: port! }),
      tcp: tcpTransport({ listen: { host: HOST, port: port! } }),
    };
    try {
      return { ...transports, endpoint: await endpoint(transports.udp, transports.tcp) };
    } catch {
      // Somebody else has the TCP port.
    }
  }
}

/** Serves xcap-diff; resolves to the subscription, and keeps the ways of the NOTIFYs. */
function serve(gms: SipEndpoint): Promise<NotifierSubscription> {
  return new Promise((resolve) => {
    gms.notifier({
      package: "xcap-diff",
      onSubscribe: (subscription) => {
        resolve(subscription);
        return { state: "active" };
      },
      current: () => ({ contentType: "application/octet-stream", body: SMALL }),
    });
  });
}

function subscribe(alice: SipEndpoint, uri: string, body?: Uint8Array) {
  const got: { body: string; via: string }[] = [];
  alice.subscribe({
    uri,
    from: "sip:alice@example.com",
    event: { value: "xcap-diff", params: new Map() },
    ...(body && { contentType: "application/octet-stream", body }),
    onNotify: (notify) => {
      got.push({ body: toHex(notify.body), via: notify.request.headers.texts("Via")[0]!.split(" ")[0]! });
      return { status: 200 };
    },
  });
  return got;
}

describe("a large NOTIFY", () => {
  it("goes by TCP to a subscriber that subscribed by UDP, and a small one by UDP again", async () => {
    const server = await both();
    const client = await both();
    const subscription = serve(server.endpoint);
    const got = subscribe(client.endpoint, `sip:gms@${HOST}:${server.udp.sentBy.port}`);
    const notifier = await subscription;
    await expect.poll(() => got.length).toBe(1);
    for (const body of [LARGE, SMALL, LARGE]) {
      const result = await notifier.notify({ contentType: "application/octet-stream", body });
      expect(result.status).toBe(200);
    }
    expect(got.map(({ via }) => via)).toEqual(["UDP", "TCP", "UDP", "TCP"].map((name) => `SIP/2.0/${name}`));
    expect(got.map(({ body }) => body)).toEqual([SMALL, LARGE, SMALL, LARGE].map(toHex));
  });

  it("uses the connection of a SUBSCRIBE that was large itself", async () => {
    const server = await both();
    const client = await both();
    const subscription = serve(server.endpoint);
    const got = subscribe(client.endpoint, `sip:gms@${HOST}:${server.udp.sentBy.port}`, LARGE);
    const notifier = await subscription;
    await expect.poll(() => got.length).toBe(1);
    const result = await notifier.notify({ contentType: "application/octet-stream", body: LARGE });
    expect(result.status).toBe(200);
    expect(got.map(({ via }) => via)).toEqual(["SIP/2.0/TCP", "SIP/2.0/TCP"]);
  });

  it("goes through the WebSocket of the subscriber", async () => {
    const far = webSocketServerTransport({ host: HOST });
    const gms = await endpoint(far);
    const url = `ws://${HOST}:${far.sentBy.port}`;
    const alice = await endpoint(webSocketTransport({ url, random, open: openWebSocket() }));
    const subscription = serve(gms);
    const got = subscribe(alice, `sip:gms@${HOST}:${far.sentBy.port};transport=ws`);
    const notifier = await subscription;
    await expect.poll(() => got.length).toBe(1);
    const result = await notifier.notify({ contentType: "application/octet-stream", body: LARGE });
    expect([result.status, got.at(-1)?.body]).toEqual([200, toHex(LARGE)]);
  });

  it("goes by UDP where the subscriber has no TCP (18.1.1)", async () => {
    const server = await both();
    const alice = await endpoint(udpTransport({ host: HOST }));
    const subscription = serve(server.endpoint);
    const got = subscribe(alice, `sip:gms@${HOST}:${server.udp.sentBy.port}`);
    const notifier = await subscription;
    await expect.poll(() => got.length).toBe(1);
    const result = await notifier.notify({ contentType: "application/octet-stream", body: LARGE });
    expect([result.status, got.at(-1)?.via]).toEqual([200, "SIP/2.0/UDP"]);
  });
});

it("an idle connection for large requests is closed, and another is opened for the next NOTIFY", async () => {
  const udp = udpTransport({ host: HOST });
  const tcp = tcpTransport({ listen: { host: HOST }, idleTimeout: 30 });
  let closed = 0;
  const counting: SipTransport = {
    name: tcp.name,
    reliable: true,
    get sentBy() {
      return tcp.sentBy;
    },
    start: ({ message }) => tcp.start({ message, closed: () => closed++ }),
    connect: (remote) => tcp.connect(remote),
    close: () => tcp.close(),
  };
  const gms = await endpoint(udp, counting);
  const client = await both();
  const subscription = serve(gms);
  const got = subscribe(client.endpoint, `sip:gms@${HOST}:${udp.sentBy.port}`);
  const notifier = await subscription;
  await expect.poll(() => got.length).toBe(1);
  for (const times of [1, 2]) {
    const result = await notifier.notify({ contentType: "application/octet-stream", body: LARGE });
    expect(result.status).toBe(200);
    await expect.poll(() => closed).toBe(times);
  }
});
