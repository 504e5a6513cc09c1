/** Subscriptions through Kamailio as outbound proxy: UDP, TCP and WebSocket on the client's side. */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { toHex } from "../../base/bytes.ts";
import {
  createSipEndpoint,
  type NotifierSubscription,
  type SipEndpointOptions,
  type SubscriptionEnd,
  systemClock,
  webSocketTransport,
} from "../../transport/sip/index.ts";
import { openWebSocket, tcpTransport, udpTransport } from "../../transport/sip/index-node.ts";
import { describeWith } from "../support/foreign.ts";
import { KAMAILIO, type SipProxy, startKamailio } from "./support/kamailio.ts";

const HOST = "127.0.0.1";
const random = (length: number) => new Uint8Array(randomBytes(length));
/** Every octet; with its header a datagram would be too large for UDP (RFC 3261 18.1.1). */
const OCTETS = Uint8Array.from({ length: 1024 }, (_, i) => i & 255);

describeWith("Kamailio", KAMAILIO, "SIP through Kamailio", () => {
  let proxy: SipProxy;
  beforeAll(async () => {
    proxy = await startKamailio();
  });
  afterAll(() => proxy?.stop());

  const transports: Record<string, () => SipEndpointOptions["transports"]> = {
    udp: () => [udpTransport({ host: HOST }), tcpTransport({ listen: { host: HOST } })],
    tcp: () => [tcpTransport({ listen: { host: HOST } })],
    ws: () => [webSocketTransport({ url: `ws://${HOST}:${proxy.port}/`, random, open: openWebSocket() })],
  };

  it.each(Object.keys(transports))(
    "carries over %s: SUBSCRIBE, NOTIFY, refresh, refusal, end",
    async (kind) => {
      const udp = udpTransport({ host: HOST });
      const gms = createSipEndpoint({
        transports: [udp, tcpTransport({ listen: { host: HOST } })],
        clock: systemClock,
        random,
      });
      await gms.start();
      let subscription: NotifierSubscription | undefined;
      const content = { contentType: "application/mikey", body: OCTETS };
      gms.notifier({
        package: "xcap-diff",
        onSubscribe: (given) => {
          subscription = given;
          return { state: "active" };
        },
        current: () => content,
      });
      const client = createSipEndpoint({
        transports: transports[kind]!(),
        clock: systemClock,
        random,
        outboundProxy: `sip:${HOST}:${proxy.port};transport=${kind};lr`,
      });
      await client.start();
      const bodies: string[] = [];
      const ends: SubscriptionEnd[] = [];
      const mine = client.subscribe({
        uri: `sip:gms@${HOST}:${udp.sentBy.port}`,
        from: "sip:alice@example.com",
        event: { value: "xcap-diff", params: new Map() },
        onNotify: ({ body }) => {
          bodies.push(toHex(body));
          return { status: bodies.length === 2 ? 488 : 200 };
        },
        onEnd: (end) => ends.push(end),
      });
      await expect.poll(() => bodies.length).toBe(1);
      expect((await subscription!.notify(content)).status).toBe(488);
      mine.refresh();
      await expect.poll(() => bodies.length).toBe(3);
      mine.unsubscribe();
      await expect.poll(() => ends).toEqual([{ cause: "unsubscribed" }]);
      expect(bodies).toEqual(Array.from({ length: 4 }, () => toHex(OCTETS)));
      await client.close();
      await gms.close();
    },
  );
});
