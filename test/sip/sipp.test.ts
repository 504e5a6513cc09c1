/** SIPp subscribes over UDP and TCP, takes NOTIFYs and answers them. */
import { randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import { utf8 } from "../../base/bytes.ts";
import {
  createSipEndpoint,
  type NotifierEnd,
  type NotifyResult,
  systemClock,
} from "../../transport/sip/index.ts";
import { tcpTransport, udpTransport } from "../../transport/sip/index-node.ts";
import { describeWith } from "../support/foreign.ts";
import { runSipp, SIPP } from "./support/sipp.ts";

const HOST = "127.0.0.1";
const CALLS = 20;
const SCENARIO = new URL("sipp/subscribe.xml", import.meta.url);

describeWith("SIPp", SIPP, "SIPp", () => {
  it.each([
    ["UDP", "u1"],
    ["TCP", "t1"],
  ] as const)("subscribes over %s, answers NOTIFYs and unsubscribes", async (name, mode) => {
    const transport =
      name === "UDP" ? udpTransport({ host: HOST }) : tcpTransport({ listen: { host: HOST } });
    const endpoint = createSipEndpoint({
      transports: [transport],
      clock: systemClock,
      random: (length) => new Uint8Array(randomBytes(length)),
      user: "gms",
    });
    await endpoint.start();
    const results: NotifyResult[] = [];
    const ends: NotifierEnd[] = [];
    const diff = { contentType: "application/xcap-diff+xml", body: utf8("<xcap-diff/>") };
    const notifier = endpoint.notifier({
      package: "xcap-diff",
      onSubscribe: (subscription) => {
        // The second NOTIFY, which SIPp refuses.
        if (subscription.expiresAt === 0) {
          setTimeout(() => subscription.notify(diff).then((result) => results.push(result)), 100);
        }
        return { state: "active" };
      },
      current: () => diff,
      onEnd: (_, end) => ends.push(end),
    });
    const run = await runSipp(SCENARIO, { mode, port: transport.sentBy.port!, calls: CALLS });
    await endpoint.close();
    expect(run).toEqual({ code: 0, errors: "", log: [] });
    expect(results).toHaveLength(CALLS);
    for (const result of results) {
      expect(result).toMatchObject({ status: 488, warnings: [{ code: 399, agent: "client.example.com" }] });
    }
    expect(ends).toEqual(Array.from({ length: CALLS }, () => ({ cause: "unsubscribed" })));
    expect(notifier.subscriptions.size).toBe(0);
    expect(endpoint.counters).toMatchObject({ malformed: 0, timeouts: 0, strayResponses: 0 });
  });
});
