/** Subscriptions from both ends on virtual time (RFC 6665). */
import { describe, expect, it } from "vitest";
import { toHex, utf8 } from "../../base/bytes.ts";
import {
  type Answer,
  EVENT,
  EXPIRES,
  type NotifierEnd,
  type NotifierSubscription,
  SUBSCRIPTION_STATE,
  WARNING,
} from "../../transport/sip/index.ts";
import { type Kind, World } from "./support/endpoints.ts";

const HOUR = 3_600_000;

describe.each<Kind>(["UDP", "TCP", "nat"])("a subscription over %s", (kind) => {
  it("begins with SUBSCRIBE, 200 and NOTIFY, and carries octets", async () => {
    const world = await new World(kind).start();
    const notifier = world.notifier();
    const subscription = world.subscribe();
    await world.clock.pass(50);
    expect(world.lines.map((line) => line.split(" ")[0])).toEqual(["SUBSCRIBE", "200", "NOTIFY", "200"]);
    expect(subscription.state).toBe("active");
    expect(notifier.subscriptions.size).toBe(1);
    const [notify] = world.notifies;
    expect(toHex(notify!.body)).toBe("00ff0d0a");
    expect(notify!.request.headers.get(EVENT)).toMatchObject({ value: "xcap-diff" });
    expect(notify!.request.headers.get(SUBSCRIPTION_STATE)?.params.get("expires")).toBe("3600");
  });

  it("is refreshed for as long as both are there", async () => {
    const world = await new World(kind).start();
    const ends: NotifierEnd[] = [];
    const notifier = world.notifier({ onEnd: (_, end) => ends.push(end) });
    world.subscribe({ expires: 600 });
    await world.clock.pass(5 * HOUR);
    expect(ends).toEqual([]);
    expect(notifier.subscriptions.size).toBe(1);
    expect(world.count("SUBSCRIBE")).toBe(60);
    world.network.weather = { copies: () => [] };
    world.cut();
    await world.client.close();
    await world.clock.pass(HOUR);
    // The last NOTIFY is not answered.
    expect(ends.map(({ cause }) => cause)).toEqual(["expired"]);
    expect(notifier.subscriptions.size).toBe(0);
    expect([world.clock.pending, world.server.transactions]).toEqual([0, 0]);
  });

  it("ends with Expires 0, and a last NOTIFY", async () => {
    const world = await new World(kind).start();
    const ends: NotifierEnd[] = [];
    world.notifier({ onEnd: (_, end) => ends.push(end) });
    const subscription = world.subscribe();
    await world.clock.pass(50);
    subscription.unsubscribe();
    await world.clock.pass(50);
    expect(world.notifies.at(-1)?.state).toBe("terminated");
    expect([world.ends, ends]).toEqual([[{ cause: "unsubscribed" }], [{ cause: "unsubscribed" }]]);
    await world.clock.pass(HOUR);
    expect(world.clock.pending).toBe(0);
  });
});

describe("a SIP notifier", () => {
  it("gives the answer of each NOTIFY to the caller, one NOTIFY at a time", async () => {
    const world = await new World().start();
    let subscription: NotifierSubscription | undefined;
    world.notifier({
      onSubscribe: (given) => {
        subscription = given;
        return { state: "active" };
      },
    });
    const refusal: Answer = {
      status: 488,
      headers: (h) => void h.set(WARNING, { code: 399, agent: "client.example", text: "136 failed" }),
    };
    let inHand = 0;
    world.subscribe({
      onNotify: async ({ body }) => {
        expect(++inHand).toBe(1);
        await new Promise<void>((resolve) => world.clock.after(300, resolve));
        inHand--;
        return new TextDecoder().decode(body) === "bad" ? refusal : { status: 200 };
      },
    });
    await world.clock.pass(500);
    const good = subscription!.notify({ contentType: "text/plain", body: utf8("good") });
    const bad = subscription!.notify({ contentType: "text/plain", body: utf8("bad") });
    await world.clock.pass(2000);
    expect(await good).toMatchObject({ status: 200, warnings: [] });
    expect(await bad).toMatchObject({ status: 488, warnings: [{ code: 399, text: "136 failed" }] });
    // 488 is no reason to end it.
    expect(subscription!.state).toBe("active");
  });

  it.each([
    [{ expires: 10 }, "423 Interval Too Brief", { minExpires: 60 }],
    [{ event: { value: "presence", params: new Map() } }, "489 Bad Event", {}],
    [{}, "403 Forbidden", { onSubscribe: () => ({ refuse: { status: 403 } }) }],
    [{}, "503 Service Unavailable", { maxSubscriptions: 0 }],
    [{}, "500 Server Internal Error", { onSubscribe: () => Promise.reject(new Error("x")) }],
  ] as const)("answers %j with %s", async (subscribe, line, notifier) => {
    const world = await new World().start();
    world.notifier(notifier as object);
    world.subscribe(subscribe as object);
    await world.clock.pass(20);
    expect(world.lines[1]).toBe(line);
  });

  it("drops a subscriber that answers 481, or nothing", async () => {
    for (const [status, cause] of [
      [481, "refused"],
      [undefined, "unanswered"],
    ] as const) {
      const world = await new World().start();
      const ends: NotifierEnd[] = [];
      let subscription: NotifierSubscription | undefined;
      const notifier = world.notifier({
        onSubscribe: (given) => {
          subscription = given;
          return { state: "active" };
        },
        onEnd: (_, end) => ends.push(end),
      });
      world.subscribe({ onNotify: () => (status === undefined ? new Promise(() => undefined) : { status }) });
      await world.clock.pass(40_000);
      expect(ends.map((end) => end.cause)).toEqual([cause]);
      expect(notifier.subscriptions.size).toBe(0);
      expect((await subscription!.notify({})).status).toBe(481);
    }
  });

  it("serves a fetch: Expires 0 without a subscription (4.4.3)", async () => {
    const world = await new World().start();
    const notifier = world.notifier();
    world.subscribe({ expires: 0 });
    await world.clock.pass(50);
    expect(world.notifies.map(({ state }) => state)).toEqual(["terminated"]);
    expect(notifier.subscriptions.size).toBe(0);
  });

  it("answers a refresh of an ended subscription with 481", async () => {
    const world = await new World().start();
    const notifier = world.notifier();
    const subscription = world.subscribe();
    await world.clock.pass(50);
    for (const one of notifier.subscriptions) one.drop({ cause: "closed" });
    subscription.refresh();
    await world.clock.pass(50);
    expect(world.ends).toMatchObject([{ cause: "refused", status: 481 }]);
  });

  it("reports a lost connection without ending the subscription, which the subscriber finds again", async () => {
    const world = await new World("nat").start();
    let subscription: NotifierSubscription | undefined;
    world.notifier({
      onSubscribe: (given) => {
        subscription = given;
        return { state: "active" };
      },
    });
    world.subscribe();
    await world.clock.pass(50);
    world.cut();
    expect((await subscription!.notify({})).status).toBe(503);
    await world.clock.pass(5000);
    const result = subscription!.notify({});
    await world.clock.pass(50);
    expect((await result).status).toBe(200);
    expect(world.count("SUBSCRIBE")).toBe(2);
  });
});

describe("a SIP subscriber", () => {
  it("asks for the time that the notifier requires (423)", async () => {
    const world = await new World().start();
    world.notifier({ minExpires: 120 });
    const subscription = world.subscribe({ expires: 10 });
    await world.clock.pass(50);
    expect(subscription.state).toBe("active");
    expect(world.network.seen.find(({ text }) => text.startsWith("SIP/2.0 423"))?.text).toContain(
      "Min-Expires: 120",
    );
  });

  it.each([
    ["deactivated", undefined, 0],
    ["timeout", undefined, 0],
    ["probation", 30, 30_000],
    ["giveup", 5, 5000],
    ["rejected", 7, undefined],
    ["noresource", undefined, undefined],
    ["invariant", undefined, undefined],
  ] as const)("acts as required after %s", async (reason, retryAfter, wait) => {
    const world = await new World().start();
    const notifier = world.notifier();
    world.subscribe();
    await world.clock.pass(50);
    const [one] = notifier.subscriptions;
    void one!.terminate(reason, retryAfter === undefined ? {} : { retryAfter });
    await world.clock.pass(50);
    expect(world.ends).toEqual([
      { cause: "terminated", reason, ...(wait === undefined ? {} : { retryAfter: wait }) },
    ]);
    expect(notifier.subscriptions.size).toBe(0);
  });

  it("accepts a NOTIFY that comes before the 200", async () => {
    const world = await new World().start();
    world.notifier();
    let sent = 0;
    // The 200 is the second message; it is late.
    world.network.weather = { copies: () => (++sent === 2 ? [400] : [1]) };
    const subscription = world.subscribe();
    await world.clock.pass(100);
    expect(subscription.state).toBe("active");
    await world.clock.pass(HOUR);
    expect(world.notifies.length).toBeGreaterThan(1);
    expect(world.ends).toEqual([]);
  });

  it("gives up without a NOTIFY (timer N)", async () => {
    const world = await new World().start();
    world.server.onRequest("SUBSCRIBE", ({ localTag }) => ({
      status: 200,
      headers: (h) => void h.set(EXPIRES, 60).append("Contact", `<sip:${localTag}@10.0.0.2>`),
    }));
    world.subscribe();
    await world.clock.pass(33_000);
    expect(world.ends).toEqual([{ cause: "no-notify", retryAfter: 0 }]);
  });

  it("refuses NOTIFYs of another package, without state, out of order, and of a second dialog", async () => {
    const world = await new World().start();
    world.notifier();
    world.subscribe();
    await world.clock.pass(50);
    const notify = world.network.seen.find(({ text }) => text.startsWith("NOTIFY"))!.text;
    const flow = await world.network
      .udp({ host: "10.0.0.2", port: 5060 })
      .connect({ host: "10.0.0.1", port: 5060 });
    const variants: [string, RegExp, string][] = [
      ["489", /Event: xcap-diff/, "Event: presence"],
      ["400", /Subscription-State: .*\r\n/, ""],
      ["500", /^/, ""],
      ["481", /From: (.*);tag=\w+/, "From: $1;tag=other"],
      ["481", /To: (.*);tag=\w+/, "To: $1;tag=other"],
    ];
    for (const [status, from, to] of variants) {
      const text = notify
        .replace(from, to)
        .replace(/branch=\w+/, `branch=z9hG4bK${Math.abs(from.source.length)}${status}`);
      await flow.send(utf8(text.replace(/Content-Length: \d+/, "Content-Length: 0")));
      await world.clock.pass(5);
      expect(world.lines.filter((line) => /^\d/.test(line)).at(-1), from.source).toMatch(
        new RegExp(`^${status}`),
      );
    }
    expect(world.notifies).toHaveLength(1);
  });

  it("ends when its refresh has no answer, long before its expiry (RFC 3261 12.2.1.2)", async () => {
    const world = await new World().start();
    world.notifier();
    world.subscribe({ expires: 3600 });
    await world.clock.pass(1000);
    world.network.weather = { copies: () => [] };
    await world.clock.pass(3_000_000 + 31_000);
    expect(world.ends).toEqual([]);
    await world.clock.pass(2000);
    expect(world.ends).toEqual([{ cause: "unreachable" }]);
    await world.clock.pass(HOUR);
    expect(world.client.transactions).toBe(0);
  });

  it.each([408, 430, 481, 502, 503, 504])("ends when its refresh is answered with %i", async (status) => {
    const world = await new World().start();
    const answers: number[] = [];
    world.notifier({
      onSubscribe: () => (answers.push(0) === 1 ? { state: "active" } : { refuse: { status } }),
    });
    const subscription = world.subscribe();
    await world.clock.pass(50);
    subscription.refresh();
    await world.clock.pass(50);
    expect(world.ends).toMatchObject([{ cause: "refused", status }]);
  });

  it("lives on when its refresh is answered with 500, and tries again", async () => {
    const world = await new World().start();
    let refuses = false;
    world.notifier({ onSubscribe: () => (refuses ? { refuse: { status: 500 } } : { state: "active" }) });
    const subscription = world.subscribe();
    await world.clock.pass(50);
    refuses = true;
    subscription.refresh();
    await world.clock.pass(10_000);
    refuses = false;
    await world.clock.pass(32_000);
    expect([world.ends, subscription.state]).toEqual([[], "active"]);
    expect(world.notifies.length).toBeGreaterThan(1);
  });

  it("ends when its connection breaks and no other can be opened", async () => {
    const world = await new World("TCP").start();
    world.notifier();
    world.subscribe();
    await world.clock.pass(50);
    await world.server.close();
    await world.clock.pass(1000);
    expect(world.ends).toEqual([{ cause: "unreachable" }]);
  });

  it("gives up a first SUBSCRIBE that has no answer within the given time", async () => {
    const world = await new World("TCP").start();
    world.notifier();
    world.network.frozen.add("10.0.0.2");
    world.subscribe({ patience: 5000 });
    await world.clock.pass(4900);
    expect(world.ends).toEqual([]);
    await world.clock.pass(200);
    expect(world.ends).toEqual([{ cause: "silent" }]);
  });

  it("uses the given next hop first, and the notifier's target within the dialog", async () => {
    const world = await new World().start();
    world.notifier();
    const subscription = world.subscribe({
      uri: "sip:gms@home.example",
      nextHop: { transport: "UDP", host: "10.0.0.2", port: 5060 },
    });
    await world.clock.pass(50);
    subscription.refresh();
    await world.clock.pass(50);
    const sent = world.network.seen.filter(({ text }) => text.startsWith("SUBSCRIBE"));
    expect(sent.map(({ to }) => to)).toEqual(["10.0.0.2:5060", "10.0.0.2:5060"]);
    expect(world.lines[0]).toBe("SUBSCRIBE sip:gms@home.example");
    expect(world.notifies).toHaveLength(2);
  });

  it("reports that there is no route", async () => {
    const world = await new World("TCP").start();
    world.subscribe({ uri: "sip:nobody@10.0.0.77;transport=tcp" });
    await world.clock.pass(50);
    expect(world.ends).toEqual([{ cause: "unreachable" }]);
  });

  it("opens a cut connection anew and subscribes on it", async () => {
    const world = await new World("TCP").start();
    const notifier = world.notifier();
    world.subscribe();
    await world.clock.pass(50);
    world.cut();
    await world.clock.pass(2000);
    expect(world.count("SUBSCRIBE")).toBe(2);
    expect(notifier.subscriptions.size).toBe(1);
    expect(world.notifies).toHaveLength(2);
  });
});
