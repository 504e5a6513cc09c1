/** Subscriptions that are refused, end or break, and how the client comes back. */
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  AUTHORIZATION,
  bearerScheme,
  createAuthenticator,
  RETRY_AFTER,
  WWW_AUTHENTICATE,
} from "../../../transport/sip/index.ts";
import { GROUP, type GroupWorld, makeGroupWorld } from "./device.ts";
import { diff, initial, listed, TestGms } from "./gms.ts";

const MINUTE = 60_000;

let world: GroupWorld;
let gms: TestGms;

beforeAll(async () => {
  world = await makeGroupWorld();
});
beforeEach(async () => {
  gms = await TestGms.create(world);
});
afterEach(() => gms.close());

const lost = () => gms.events.filter((event) => event.type === "subscription-lost");

describe("a subscription to group keys", () => {
  it("is made again when the GMS ends it, and brings all groups", async () => {
    const [first, second] = [await world.seal(), await world.seal()];
    gms.current = () => diff([initial("1", first.octets), listed]);
    await gms.start();
    gms.current = () => diff([initial("2", first.octets, second.octets), listed]);
    void gms.subscription!.terminate("deactivated");
    await gms.pass(50);
    expect(lost()).toMatchObject([{ cause: "deactivated", retryAt: expect.any(Number) }]);
    await gms.pass(2100);
    expect(gms.outcomes()).toEqual(["stored", "known", "stored"]);
    expect(gms.subscribes).toHaveLength(2);
    expect(gms.subscribes[1]!.headers.texts("Call-ID")).not.toEqual(
      gms.subscribes[0]!.headers.texts("Call-ID"),
    );
  });

  it("is made again at its refresh when the GMS lost it in a crash", async () => {
    await gms.start({ expires: 600 });
    gms.subscription!.drop({ cause: "closed" });
    await gms.pass(5 * MINUTE + 4000);
    expect(lost()).toMatchObject([{ cause: "refused", status: 481 }]);
    expect(gms.subscription!.state).toBe("active");
  });

  it("goes on after its flow broke", async () => {
    await gms.start();
    gms.cut();
    const { octets } = await world.seal();
    gms.current = () => diff([initial("1", octets), listed]);
    await gms.pass(3000);
    expect(gms.subscribes).toHaveLength(2);
    expect(gms.subscribes[1]!.headers.texts("Call-ID")).toEqual(gms.subscribes[0]!.headers.texts("Call-ID"));
    expect(gms.outcomes()).toEqual(["stored"]);
    expect(lost()).toEqual([]);
  });

  it("is tried again while the GMS is away, later each time, with random delays", async () => {
    await gms.endpoint.close();
    await gms.start();
    await gms.pass(30 * MINUTE);
    const times = lost().map((event) => (event.type === "subscription-lost" ? event.retryAt! : 0));
    const steps = times.slice(1).map((time, i) => (time - times[i]!) / 1000);
    expect(times.length).toBeGreaterThan(8);
    expect(Math.max(...steps)).toBeLessThan(2 * 300);
    expect(steps.at(-1)!).toBeGreaterThan(4 * steps[0]!);
    expect(new Set(steps.map((step) => step % 1)).size).toBeGreaterThan(3);
  });

  it("that is refused is not repeated at once, but may be repeated later", async () => {
    gms.decide = () => ({ refuse: { status: 403 } });
    await gms.start();
    expect(lost()).toMatchObject([{ cause: "refused", status: 403 }]);
    await gms.pass(2 * MINUTE);
    expect(gms.subscribes).toHaveLength(1);
    await gms.pass(4 * MINUTE);
    expect(gms.subscribes).toHaveLength(2);
    gms.decide = () => ({ state: "active" });
    const refreshed = gms.group.refresh();
    await gms.pass(100);
    await refreshed;
    expect(gms.subscription!.state).toBe("active");
  });

  it("waits as long as the GMS says", async () => {
    gms.decide = () => ({
      refuse: { status: 503, headers: (h) => void h.set(RETRY_AFTER, { seconds: 120, params: new Map() }) },
    });
    await gms.start();
    await gms.pass(2 * MINUTE);
    expect(gms.subscribes).toHaveLength(1);
    await gms.pass(5000);
    expect(gms.subscribes).toHaveLength(2);
  });

  it("ends with the client, which answers nothing any more", async () => {
    await gms.start();
    await gms.stop();
    expect(gms.ends).toMatchObject([{ cause: "unsubscribed" }]);
    await gms.pass(60 * MINUTE);
    expect(gms.subscribes).toHaveLength(2);
    await expect(gms.group.refresh()).rejects.toMatchObject({ code: "SUBSCRIPTION_LOST" });
    await gms.start();
    expect(gms.subscription!.state).toBe("active");
  });

  it("does not keep a client from ending when its GMS is gone", async () => {
    await gms.start();
    await gms.endpoint.close();
    let isStopped = false;
    void gms.group.stop().then(() => {
      isStopped = true;
    });
    await gms.pass(2500);
    expect(isStopped).toBe(true);
  });

  it("can be stopped while it waits", async () => {
    gms.decide = () => ({ refuse: { status: 503 } });
    await gms.start();
    await gms.stop();
    await gms.pass(60 * MINUTE);
    expect(gms.subscribes).toHaveLength(1);
  });

  it("shows its state when it is asked for", async () => {
    await gms.start();
    const { octets } = await world.seal();
    gms.current = () => diff([initial("1", octets)]);
    const refreshed = gms.group.refresh();
    await gms.pass(100);
    await refreshed;
    expect(gms.ring.current(GROUP)).toBeDefined();
    expect(gms.subscribes).toHaveLength(2);
  });
});

describe("the access token of a subscription", () => {
  it("is fetched anew after the challenge when it expired", async () => {
    const scheme = bearerScheme({
      authorizationServer: "https://idms.home.example",
      verify: (token) => (token === "token-2" ? "alice" : undefined),
    });
    const authenticator = createAuthenticator(scheme);
    const tokens = ["token-1", "token-2"];
    gms.decide = () => ({ state: "active" });
    gms.endpoint.notifier({
      package: "xcap-diff",
      authenticator,
      onSubscribe: (subscription, { request }) => {
        gms.subscribes.push(request);
        gms.subscription = subscription;
        return { state: "active" };
      },
      current: () => diff([listed]),
    });
    await gms.start({ token: async () => tokens.shift() ?? "token-2" });
    expect(gms.subscribes).toHaveLength(1);
    expect(gms.subscribes[0]!.headers.get(AUTHORIZATION)).toMatchObject({ token: "token-2" });
    expect(gms.subscription!.state).toBe("active");
    await gms.pass(2 * 60 * MINUTE);
    expect(gms.subscribes.length).toBeGreaterThan(1);
    expect(lost()).toEqual([]);
  });

  it("is not sent over and over when it is refused for good", async () => {
    gms.decide = () => ({
      refuse: {
        status: 401,
        headers: (h) =>
          void h.set(WWW_AUTHENTICATE, { scheme: "Bearer", params: new Map([["realm", '"x"']]) }),
      },
    });
    await gms.start();
    expect(gms.subscribes).toHaveLength(1);
    expect(lost()).toMatchObject([{ status: 401 }]);
  });

  it("is asked for later when it cannot be had", async () => {
    let isThere = false;
    await gms.start({
      token: async () => {
        if (!isThere) throw new Error("no identity server");
        return "token-1";
      },
    });
    expect(gms.events).toMatchObject([{ type: "failed", retryAt: expect.any(Number) }]);
    expect(gms.subscribes).toHaveLength(0);
    isThere = true;
    await gms.pass(5000);
    expect(gms.subscription!.state).toBe("active");
  });
});

describe("the key ring of a client", () => {
  it("tells when keys become active, expire and are dropped", async () => {
    await gms.start();
    const start = Math.floor(gms.now() / 1000);
    const { octets } = await world.seal({ parameters: { activation: start + 3600, expiry: start + 7200 } });
    await gms.notify([initial("1", octets)]);
    const states = () =>
      gms.events.splice(0).flatMap((event) => ("key" in event ? [`${event.type} ${event.key.state}`] : []));
    expect(states()).toEqual(["key pending"]);
    expect(gms.ring.current(GROUP)).toBeUndefined();
    await gms.pass(61 * MINUTE);
    expect(states()).toEqual(["key-state active"]);
    expect(gms.ring.current(GROUP)).toBeDefined();
    await gms.pass(61 * MINUTE);
    expect(states()).toEqual(["key-state expired"]);
    await gms.pass(25 * 60 * MINUTE);
    expect(states()).toEqual(["key expired"]);
    expect(gms.ring.keys()).toEqual([]);
  });
});
