/** Our client gets its keys through Kamailio as outbound proxy, over UDP, TCP and WebSocket. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { systemRandom } from "../../../base/random.ts";
import { createGroupClient, GroupKeyRing } from "../../../roles/group-keys/index.ts";
import { MemoryStorage } from "../../../roles/identity/index.ts";
import {
  createSipEndpoint,
  type SipTransport,
  systemClock,
  webSocketTransport,
} from "../../../transport/sip/index.ts";
import { openWebSocket, tcpTransport, udpTransport } from "../../../transport/sip/index-node.ts";
import { KAMAILIO, type SipProxy, startKamailio } from "../../sip/support/kamailio.ts";
import { describeWith } from "../../support/foreign.ts";
import { GMS_URI, memberUri, newMembers } from "../memory-gms.ts";
import { GROUP, HOST, OPERATOR, type RunningGms, startGms } from "./running-gms.ts";

const KINDS = ["udp", "tcp", "ws"] as const;

describeWith("Kamailio", KAMAILIO, "a member behind Kamailio", () => {
  let proxy: SipProxy;
  let running: RunningGms;
  beforeAll(async () => {
    proxy = await startKamailio();
    const sip = { host: HOST, udpPort: 0, tcpPort: 0, wsPort: 0, trustedProxies: [HOST] };
    running = await startGms({ config: { sip } });
  });
  afterAll(async () => {
    await running?.close();
    await proxy?.stop();
  });

  const transports: Record<(typeof KINDS)[number], () => SipTransport[]> = {
    udp: () => [udpTransport({ host: HOST }), tcpTransport({ listen: { host: HOST } })],
    tcp: () => [tcpTransport({ listen: { host: HOST } })],
    ws: () => [
      webSocketTransport({
        url: `ws://${HOST}:${proxy.port}/`,
        random: systemRandom,
        open: openWebSocket(),
      }),
    ],
  };

  it.each(KINDS)("carries a key, the next one and a revocation over %s", async (kind) => {
    const { admin } = running.gms;
    const { world } = running;
    const uri = `${GROUP}-${kind}`;
    const member = KINDS.indexOf(kind);
    const userUri = memberUri(member);
    await admin.createGroup(OPERATOR, { uri, members: newMembers(1, member) });
    const sip = createSipEndpoint({
      transports: transports[kind](),
      clock: systemClock,
      random: systemRandom,
      user: "member",
      outboundProxy: `sip:${HOST}:${proxy.port};transport=${kind};lr`,
    });
    await sip.start();
    const ring = await GroupKeyRing.open(new MemoryStorage(), { userUri, now: Date.now });
    const client = createGroupClient({
      userUri,
      keys: () => world.member(member).keys,
      ring,
      gms: { uri: GMS_URI, sipUri: `sip:gms@${HOST}:${running.udp}`, xcapRoot: running.xcapUrl },
      groups: [uri],
      way: "sip",
      sip,
      token: () => running.token(userUri),
      now: Date.now,
      random: systemRandom,
    });
    const newest = async () => (await admin.gmks(uri)).at(-1)!;
    const current = () => ring.current(uri)?.gmkId;
    const states = async () => (await admin.rekeys({ groupUri: uri, limit: 1 }))[0]!.counts;
    try {
      client.start();
      await expect.poll(current).toBe((await newest()).gmkId);
      const next = await admin.rekey(OPERATOR, uri);
      await expect.poll(current).toBe(next.gmkId);
      await expect.poll(states).toMatchObject({ acknowledged: 1 });
      await admin.revokeGmk(OPERATOR, next.gmkId);
      await expect.poll(current).not.toBe(next.gmkId);
      await expect.poll(states).toMatchObject({ acknowledged: 1 });
      expect(ring.byGmkId(next.gmkId)).toBeUndefined();
    } finally {
      await client.stop();
      await sip.close();
    }
  });
});
