/** A GMS of several servers: how a client gets from one that stops, dies or falls silent to the next. */
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { GroupClientOptions } from "../../../roles/group-keys/index.ts";
import { type Decision, KEEP_ALIVE, RETRY_AFTER } from "../../../transport/sip/index.ts";
import { SERVER } from "../../sip/support/endpoints.ts";
import { FakeDns } from "../../sip/support/fake-dns.ts";
import { seededRandom } from "../../support/random.ts";
import { GMS, GROUP, type GroupWorld, HOME_KMS, makeGroupWorld } from "./device.ts";
import { diff, initial, listed, TestGms, XCAP_ROOT } from "./gms.ts";
import { OtherServer, steps, uriOf } from "./servers.ts";
import { TestXcap } from "./xcap.ts";

const MINUTE = 60_000;
const [A, B, C] = [SERVER.host, "10.0.0.3", "10.0.0.4"] as const;
/** Noticed, and a subscription elsewhere, with the second over which clients are spread. */
const SOON = KEEP_ALIVE.interval + KEEP_ALIVE.limit + 1500;

let world: GroupWorld;
let gms: TestGms;
let b: OtherServer;
let c: OtherServer;

beforeAll(async () => {
  world = await makeGroupWorld();
});
beforeEach(async () => {
  gms = await TestGms.create(world);
  b = await OtherServer.create(gms, B);
  c = await OtherServer.create(gms, C);
});
afterEach(async () => {
  // The longest that leaving a server may take.
  const stopped = gms.group?.stop();
  await gms.pass(2100);
  await stopped;
  await b.endpoint.close();
  await c.endpoint.close();
  await gms.close();
});

const address = (sipUri: string | readonly string[]) => ({
  gms: { uri: GMS, kmsUri: HOME_KMS, sipUri, xcapRoot: XCAP_ROOT },
});
const start = (options: Partial<GroupClientOptions> = {}) =>
  gms.start({ ...address([A, B, C].map(uriOf)), ...options });

/** From now on every server announces the message with a new key. */
function newKeyAt(sealed: { octets: Uint8Array }): void {
  gms.current = () => diff([initial("1", sealed.octets), listed]);
}

describe("a client of several GMS servers", () => {
  it("goes to the next server within two seconds when its own stops, and gets the key there", async () => {
    await start();
    expect(steps(gms.events)).toEqual([`subscribed ${A}`]);
    newKeyAt(await world.seal());
    void gms.subscription!.terminate("deactivated");
    await gms.pass(2000);
    expect(steps(gms.events)).toEqual([`lost ${A} deactivated`, `subscribed ${B}`]);
    expect(gms.ring.current(GROUP)).toBeDefined();
  });

  it("goes to the next server within two seconds when its own dies", async () => {
    await start();
    newKeyAt(await world.seal());
    steps(gms.events);
    await gms.endpoint.close();
    await gms.pass(2000);
    expect(steps(gms.events)).toEqual([`lost ${A} unreachable`, `subscribed ${B}`]);
    expect(gms.ring.current(GROUP)).toBeDefined();
  });

  it("goes to the next server within ten seconds when its own hangs and says nothing", async () => {
    await start();
    newKeyAt(await world.seal());
    steps(gms.events);
    gms.network.frozen.add(A);
    await gms.pass(SOON);
    expect(SOON).toBeLessThan(10_000);
    expect(steps(gms.events)).toEqual([`lost ${A} silent`, `subscribed ${B}`]);
    expect(gms.ring.current(GROUP)).toBeDefined();
  });

  it("passes over a server that failed a moment ago, and leaves one that only accepts connections", async () => {
    gms.network.frozen.add(B);
    await start();
    void gms.subscription!.terminate("deactivated");
    await gms.pass(8000);
    expect(steps(gms.events)).toEqual([
      `subscribed ${A}`,
      `lost ${A} deactivated`,
      `lost ${B} silent`,
      `subscribed ${C}`,
    ]);
  });

  it("tries a failed server again after a minute, not before", async () => {
    await start();
    void gms.subscription!.terminate("deactivated");
    await gms.pass(2000);
    void b.subscription!.terminate("deactivated");
    await gms.pass(2000);
    expect([gms.subscribes.length, b.isUsed, c.isUsed]).toEqual([1, false, true]);
    await gms.pass(MINUTE);
    void c.subscription!.terminate("deactivated");
    await gms.pass(2000);
    expect([gms.subscribes.length, gms.subscription!.state]).toEqual([2, "active"]);
  });

  it("does not repeat elsewhere what the GMS refuses for good", async () => {
    gms.decide = () => ({ refuse: { status: 403 } });
    await start();
    await gms.pass(2 * MINUTE);
    expect([gms.subscribes.length, b.subscribes, c.subscribes]).toEqual([1, [], []]);
  });

  it("goes elsewhere when a server is overloaded, and leaves that server alone for as long as it says", async () => {
    const retry = { seconds: 300, params: new Map() };
    const busy: Decision = {
      refuse: { status: 503, headers: (h) => void h.set(RETRY_AFTER, retry) },
    };
    gms.decide = () => busy;
    await start();
    await gms.pass(1500);
    expect(b.isUsed).toBe(true);
    b.decide = () => ({ refuse: { status: 503 } });
    c.decide = () => ({ refuse: { status: 503 } });
    void b.subscription!.terminate("deactivated");
    await gms.pass(4.5 * MINUTE);
    expect(gms.subscribes).toHaveLength(1);
    expect(b.subscribes.length).toBeGreaterThan(3);
    gms.decide = () => ({ state: "active" });
    await gms.pass(5 * MINUTE);
    expect(gms.subscription!.state).toBe("active");
  });

  it("waits ever longer while all servers are away, and finds the first one that is back", async () => {
    for (const host of [A, B, C]) gms.network.firewalled.add(`${host}:5060`);
    await start();
    await gms.pass(10 * MINUTE);
    const lost = gms.events.filter(({ type }) => type === "server-lost").length;
    // Three servers, each with ever longer waits: not a loop.
    expect(lost).toBeGreaterThan(9);
    expect(lost).toBeLessThan(60);
    gms.network.firewalled.delete(`${C}:5060`);
    await gms.pass(6 * MINUTE);
    expect(c.isUsed).toBe(true);
  });

  it("gives silent servers more time one after the other, as they may be overloaded", async () => {
    await start();
    const losses: number[] = [];
    for (const [host, server] of [
      [A, undefined],
      [B, b],
      [C, c],
    ] as const) {
      await gms.clock.pass(500);
      await gms.pass(2000);
      if (server !== undefined) expect(server.isUsed).toBe(true);
      const begun = gms.clock.now();
      gms.network.frozen.add(host);
      while (!steps(gms.events).includes(`lost ${host} silent`)) await gms.pass(100);
      losses.push(gms.clock.now() - begun);
    }
    expect(losses[0]!).toBeLessThanOrEqual(KEEP_ALIVE.interval + KEEP_ALIVE.limit + 100);
    expect(losses[2]!).toBeGreaterThanOrEqual(2 * KEEP_ALIVE.limit);
  });

  it("gives a slow server more time at each try", async () => {
    let asked = 0;
    gms.endpoint.notifier({
      package: "xcap-diff",
      onSubscribe: async () => {
        asked++;
        await new Promise<void>((resolve) => gms.clock.after(8000, resolve));
        return { state: "active" };
      },
      current: () => diff([listed]),
    });
    await start(address(uriOf(A)));
    await gms.pass(MINUTE);
    expect(steps(gms.events)).toEqual([`lost ${A} silent`, `subscribed ${A}`]);
    expect(asked).toBe(2);
  });
});

it("clients that lose a server together do not come to the next one in the same moment", async () => {
  const waits: number[] = [];
  for (let i = 0; i < 12; i++) {
    const other = await TestGms.create(world);
    const next = await OtherServer.create(other, B);
    await other.start({ ...address([A, B].map(uriOf)), random: seededRandom(`client ${i}`) });
    const begun = other.clock.now();
    void other.subscription!.terminate("deactivated");
    await other.pass(1500);
    waits.push(next.subscribes[0]! - begun);
    await other.stop();
    await next.endpoint.close();
    await other.close();
  }
  expect(new Set(waits).size).toBeGreaterThan(8);
  expect(Math.max(...waits) - Math.min(...waits)).toBeGreaterThan(400);
}, 60_000);

describe("the SIP servers of a domain", () => {
  const srv = (...hosts: string[]) =>
    hosts.map((target, priority) => ({ priority, weight: 0, port: 5060, target }));
  const zone = (...hosts: string[]) => ({
    srv: { "_sip._tcp.home.example": srv(...hosts) },
    addresses: { a: [A], b: [B], c: [C] },
  });
  const uri = "sip:gms@home.example";

  it("are found by SRV records, and used one after the other", async () => {
    await start({ ...address(uri), resolver: new FakeDns(zone("a", "b")) });
    expect(steps(gms.events)).toEqual([`subscribed ${A}`]);
    await gms.endpoint.close();
    await gms.pass(2000);
    expect(steps(gms.events)).toEqual([`lost ${A} unreachable`, `subscribed ${B}`]);
  });

  it.each(["isAway", "isSilent"] as const)("stay known while DNS %s", async (fault) => {
    const dns = new FakeDns(zone("a", "b"));
    await start({ ...address(uri), resolver: dns });
    await gms.pass(2 * MINUTE);
    dns[fault] = true;
    steps(gms.events);
    await gms.endpoint.close();
    await gms.pass(6000);
    expect(steps(gms.events)).toEqual([`lost ${A} unreachable`, `subscribed ${B}`]);
  });

  it("are looked up anew after a minute, so that a server that was added is found", async () => {
    const dns = new FakeDns(zone("a", "b"));
    await start({ ...address(uri), resolver: dns });
    dns.zone = zone("c");
    await gms.pass(2 * MINUTE);
    await gms.endpoint.close();
    await gms.pass(2000);
    expect(c.isUsed).toBe(true);
  });
});

describe("while SIP is away,", () => {
  it("keys are fetched over HTTP within seconds, and no more once SIP is back", async () => {
    const xcap = new TestXcap();
    xcap.putGroup();
    xcap.putKeys();
    await start({ ...address(uriOf(A)), fetch: xcap.fetch });
    await gms.pass(MINUTE);
    expect(xcap.take()).toEqual([]);
    gms.network.frozen.add(A);
    const { octets, gmk } = await world.seal();
    xcap.putKeys(octets);
    await gms.pass(SOON + 4000);
    expect(gms.ring.current(GROUP)?.gmkId).toBe(gmk.keyId);
    expect(xcap.reports).toEqual(["stored "]);
    // Ever less often, up to about once a minute, while it lasts.
    xcap.take();
    await gms.pass(10 * MINUTE);
    const looks = xcap.take().filter((line) => line.startsWith("GET keys")).length;
    expect(looks).toBeGreaterThan(8);
    expect(looks).toBeLessThan(20);
    gms.network.frozen.delete(A);
    await gms.pass(6 * MINUTE);
    expect(gms.subscription!.state).toBe("active");
    xcap.take();
    await gms.pass(10 * MINUTE);
    expect(xcap.take()).toEqual([]);
  });

  it("keys are fetched over HTTP also when SIP never was there", async () => {
    const xcap = new TestXcap();
    xcap.putGroup();
    const { octets, gmk } = await world.seal();
    xcap.putKeys(octets);
    gms.network.firewalled.add(`${A}:5060`);
    await start({ ...address(uriOf(A)), fetch: xcap.fetch });
    await gms.pass(5000);
    expect(gms.ring.current(GROUP)?.gmkId).toBe(gmk.keyId);
  });
});
