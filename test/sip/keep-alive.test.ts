/** Tests how a subscriber finds out that its notifier, or the way to it, is gone, though nothing says so. */
import { describe, expect, it } from "vitest";
import { isGone } from "../../transport/sip/core/reasons.ts";
import { KEEP_ALIVE } from "../../transport/sip/index.ts";
import { Patience } from "../../transport/sip/transaction/timers.ts";
import { VirtualClock } from "../support/clock.ts";
import { type Kind, SERVER, World } from "./support/endpoints.ts";

const MINUTE = 60_000;
const LONGEST = KEEP_ALIVE.interval + KEEP_ALIVE.limit;

async function subscribed(kind: Kind): Promise<World> {
  const world = await new World(kind).start();
  world.notifier();
  world.subscribe({ keepAlive: KEEP_ALIVE });
  await world.clock.pass(50);
  return world;
}

const pings = (world: World) => world.network.seen.filter(({ text }) => text === "\r\n\r\n").length;

describe.each<Kind>(["UDP", "TCP", "nat"])("a subscriber with keep-alives over %s", (kind) => {
  it("goes on for as long as the notifier answers", async () => {
    const world = await subscribed(kind);
    await world.clock.pass(10 * MINUTE);
    expect(world.ends).toEqual([]);
    const asked = kind === "UDP" ? world.count("OPTIONS") : pings(world);
    // One in 4 to 5 seconds.
    expect(asked).toBeGreaterThanOrEqual(600 / 5);
    expect(asked).toBeLessThanOrEqual(600 / 4);
  });

  it("notices within seconds that the notifier's host hangs", async () => {
    const world = await subscribed(kind);
    world.network.frozen.add(SERVER.host);
    await world.clock.pass(KEEP_ALIVE.limit);
    expect(world.ends).toEqual([]);
    await world.clock.pass(LONGEST);
    expect(world.ends).toEqual([{ cause: "silent" }]);
  });
});

describe("keep-alives of a subscription", () => {
  it("have random times, so that clients that came together do not ask together", async () => {
    const world = await subscribed("nat");
    const times: number[] = [];
    for (let seen = 0; times.length < 20; seen = pings(world)) {
      await world.clock.pass(10);
      if (pings(world) > seen) times.push(world.clock.now());
    }
    const waits = new Set(times.slice(1).map((time, i) => time - times[i]!));
    expect(waits.size).toBeGreaterThan(3);
  });

  it("end the subscription when the peer answers that it lost the dialog, as after a restart", async () => {
    const world = await new World().start();
    const notifier = world.notifier();
    world.subscribe({ keepAlive: KEEP_ALIVE });
    await world.clock.pass(50);
    for (const one of notifier.subscriptions) one.drop({ cause: "closed" });
    await world.clock.pass(KEEP_ALIVE.interval + 100);
    expect(world.ends).toEqual([{ cause: "refused", status: 481 }]);
  });

  it("count a refusal of OPTIONS as a sign of life", () => {
    for (const status of [200, 405, 500, 501]) expect(isGone("OPTIONS", status), String(status)).toBe(false);
    for (const status of [404, 408, 481, 503]) expect(isGone("OPTIONS", status), String(status)).toBe(true);
    expect(isGone("SUBSCRIBE", 405)).toBe(true);
  });

  it("survive lost datagrams, as an OPTIONS is repeated", async () => {
    const world = await subscribed("UDP");
    let count = 0;
    world.network.weather = { copies: () => (++count % 3 === 0 ? [] : [1]) };
    await world.clock.pass(MINUTE);
    expect(world.ends).toEqual([]);
    expect(world.count("OPTIONS")).toBeGreaterThan(60_000 / KEEP_ALIVE.interval);
  });

  it("wait while the notifier itself sends something", async () => {
    const world = await new World().start();
    const notifier = world.notifier();
    world.subscribe({ keepAlive: KEEP_ALIVE });
    await world.clock.pass(50);
    const [one] = notifier.subscriptions;
    for (let i = 0; i < 20; i++) {
      void one!.notify({});
      await world.clock.pass(3000);
    }
    expect(world.count("OPTIONS")).toBe(0);
  });

  it("do not count the time in which the client itself was suspended", async () => {
    const clock = new VirtualClock();
    // On a machine that has slept for 10 seconds all timers that were due fire at once, one after the other.
    const fired: string[] = [];
    const patience = new Patience(clock);
    patience.set(2500, () => fired.push("given up"));
    clock.stall(10_000);
    await clock.pass(0);
    expect(fired).toEqual([]);
    await clock.pass(2000);
    expect(fired).toEqual([]);
    await clock.pass(250);
    expect(fired).toEqual(["given up"]);
  });

  it("end with the subscription", async () => {
    const world = await new World("nat").start();
    world.notifier();
    const subscription = world.subscribe({ keepAlive: KEEP_ALIVE });
    await world.clock.pass(50);
    subscription.unsubscribe();
    await world.clock.pass(MINUTE);
    expect(pings(world)).toBe(0);
    expect(world.clock.pending).toBe(0);
  });
});
