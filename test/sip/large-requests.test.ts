/** Requests that are too large for a datagram, to peers whose TCP port answers, refuses or drops (RFC 3261 18.1.1). */
import { expect, it } from "vitest";
import { createSipEndpoint } from "../../transport/sip/index.ts";
import { VirtualClock } from "../support/clock.ts";
import { CLIENT, random, SERVER } from "./support/endpoints.ts";
import { Network } from "./support/network.ts";

const PEER = `${SERVER.host}:${SERVER.port}`;

async function world(tcp: "answers" | "refuses" | "drops") {
  const clock = new VirtualClock();
  const network = new Network(clock);
  const near = [network.udp(CLIENT), network.stream("TCP", CLIENT)];
  const far = [network.udp(SERVER), ...(tcp === "answers" ? [network.stream("TCP", SERVER)] : [])];
  if (tcp === "drops") network.firewalled.add(PEER);
  const client = createSipEndpoint({ transports: near, clock, random });
  const server = createSipEndpoint({ transports: far, clock, random });
  await client.start();
  await server.start();
  server.onRequest("MESSAGE", () => ({ status: 200 }));
  /** Milliseconds until the answer, and the transport that it went by. */
  async function message(): Promise<{ took: number; via: string }> {
    const begun = clock.now();
    let took: number | undefined;
    const request = { method: "MESSAGE", uri: `sip:${SERVER.host}`, from: "sip:alice@home.example" };
    const body = new Uint8Array(2000);
    void client.request({ ...request, contentType: "application/octet-stream", body }).then(() => {
      took = clock.now() - begun;
    });
    while (took === undefined) await clock.pass(1);
    const sent = network.seen.filter(({ text }) => text.startsWith("MESSAGE")).at(-1)!;
    return { took, via: /Via: SIP\/2.0\/(\w+)/.exec(sent.text)![1]! };
  }
  return { clock, network, message };
}

it("a large request goes by TCP where the peer has it", async () => {
  const { message } = await world("answers");
  const { took, via } = await message();
  expect(via).toBe("TCP");
  expect(took).toBeLessThan(10);
});

it("a large request goes by UDP at once to a peer that refuses TCP", async () => {
  const { message } = await world("refuses");
  const { took, via } = await message();
  expect(via).toBe("UDP");
  expect(took).toBeLessThan(10);
});

it("a large request waits a second for a TCP port behind a firewall, and the next ones do not wait at all", async () => {
  const { message, clock } = await world("drops");
  const first = await message();
  expect(first.via).toBe("UDP");
  expect(first.took).toBeGreaterThanOrEqual(1000);
  expect(first.took).toBeLessThan(1100);
  for (let i = 0; i < 3; i++) expect((await message()).took).toBeLessThan(10);
  // It may be mended one day, so that it is tried again.
  await clock.pass(6 * 60_000);
  expect((await message()).took).toBeGreaterThanOrEqual(1000);
});

it("a peer whose TCP port was behind a firewall is reached by TCP again once that is open", async () => {
  const { message, clock, network } = await world("drops");
  await message();
  network.firewalled.clear();
  const server = createSipEndpoint({ transports: [network.stream("TCP", SERVER)], clock, random });
  await server.start();
  server.onRequest("MESSAGE", () => ({ status: 200 }));
  await clock.pass(6 * 60_000);
  expect((await message()).via).toBe("TCP");
});
