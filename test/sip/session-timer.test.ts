/** Sessions that are refreshed, and end when the other side has vanished (RFC 4028). */
import { describe, expect, it } from "vitest";
import {
  createRequest,
  type InviteAnswer,
  type InviteOptions,
  KEEP_ALIVE,
  MIN_SE,
  REQUIRE,
  SESSION_EXPIRES,
  SESSION_TIMER,
  type SessionEnd,
  type SipSession,
  SUPPORTED,
} from "../../transport/sip/index.ts";
import { agree } from "../../transport/sip/session/session-timer.ts";
import { CLIENT, SERVER, World } from "./support/endpoints.ts";

const MINUTE = 60_000;
const text = (value: string) => new TextEncoder().encode(value);

interface Call {
  readonly world: World;
  readonly near: SessionEnd[];
  readonly far: SessionEnd[];
  readonly session: SipSession | undefined;
  readonly other: SipSession | undefined;
  readonly status: number;
}

async function call(
  caller: Partial<InviteOptions> = { timer: SESSION_TIMER },
  called: Partial<InviteAnswer> = { timer: SESSION_TIMER },
): Promise<Call> {
  const world = await new World("UDP").start();
  const [near, far]: [SessionEnd[], SessionEnd[]] = [[], []];
  let other: SipSession | undefined;
  const description = { contentType: "application/sdp", body: text("answer") };
  world.server.onInvite(() => ({
    status: 200,
    ...description,
    accepted: (session) => {
      other = session;
    },
    onEnd: (end) => far.push(end),
    ...called,
  }));
  const inviting = world.client.invite({
    uri: `sip:${SERVER.host}`,
    from: "sip:alice@home.example",
    contentType: "application/sdp",
    body: text("offer"),
    onEnd: (end) => near.push(end),
    ...caller,
  });
  await world.clock.pass(100);
  const { session, response } = await inviting;
  return { world, near, far, session, other, status: response.status };
}

describe("a SIP session with a timer", () => {
  it("goes on for hours, as the caller refreshes it with an UPDATE at half the time", async () => {
    const { world, near, far, other } = await call();
    const invite = world.network.seen[0]!.text;
    expect(invite).toContain("Session-Expires: 90");
    expect(world.network.seen.find(({ text: said }) => said.startsWith("SIP/2.0 200"))!.text).toMatch(
      /Session-Expires: 90;refresher=uac/,
    );
    await world.clock.pass(60 * MINUTE);
    expect([near, far, other!.open]).toEqual([[], [], true]);
    // 80, of which the last ones may still be due.
    expect(world.count("UPDATE")).toBeGreaterThan(77);
    expect(world.count("INVITE")).toBe(1);
  });

  it("ends with a BYE a minute after the caller vanished, where nothing else would show that", async () => {
    const { world, far, other } = await call();
    world.network.frozen.add(CLIENT.host);
    // The caller itself says nothing either.
    await world.client.close();
    await world.clock.pass(59_000);
    expect(far).toEqual([]);
    await world.clock.pass(2000);
    expect([far, other!.open]).toEqual([["lost"], false]);
    expect(world.count("BYE")).toBeGreaterThan(0);
  });

  it("ends at the caller when its refresh has no answer", async () => {
    const { world, near, session } = await call();
    world.network.frozen.add(SERVER.host);
    await world.clock.pass(80_000);
    expect([near, session!.open]).toEqual([["lost"], false]);
  });

  it("ends at the caller at once when the other side no longer knows it", async () => {
    const { world, near, other } = await call();
    (other as unknown as { closed(): void }).closed();
    await world.clock.pass(46_000);
    expect(near).toEqual(["lost"]);
  });

  it("is refreshed by the callee where the caller knows no timers, and ends when the caller vanishes", async () => {
    const { world, far } = await call({});
    await world.clock.pass(10 * MINUTE);
    expect(far).toEqual([]);
    // It did not say that it takes UPDATE.
    expect(world.count("UPDATE")).toBe(0);
    expect(world.count("INVITE")).toBeGreaterThan(10);
    world.network.frozen.add(CLIENT.host);
    await world.clock.pass(2 * MINUTE);
    expect(far).toEqual(["lost"]);
  });

  it("has no timer where the callee wants none, and ends only with a BYE", async () => {
    const { world, near } = await call({ timer: SESSION_TIMER }, {});
    await world.clock.pass(10 * MINUTE);
    expect([near, world.count("UPDATE")]).toEqual([[], 0]);
  });

  it("is requested again with the interval that the callee requires (422)", async () => {
    const { world, status, far } = await call({ timer: { expires: 10, minimum: 10 } });
    expect(status).toBe(200);
    expect(world.count("422")).toBe(1);
    expect(world.network.seen.filter(({ text: said }) => said.startsWith("INVITE")).at(-1)!.text).toContain(
      "Session-Expires: 90",
    );
    // The session that was begun for the first INVITE is over.
    expect(far).toEqual(["lost"]);
    await world.clock.pass(10 * MINUTE);
    expect(far).toEqual(["lost"]);
  });

  it("ends with its BYE, and leaves no timer behind", async () => {
    const { world, session } = await call();
    const bye = session!.bye();
    await world.clock.pass(100);
    await bye;
    await world.clock.pass(10 * MINUTE);
    expect([world.count("UPDATE"), world.clock.pending]).toEqual([0, 0]);
  });
});

describe("the callee of a session timer", () => {
  const asked = (fill: (headers: ReturnType<typeof createRequest>["headers"]) => void) => {
    const request = createRequest("INVITE", "sip:gms@home.example");
    fill(request.headers);
    return agree(request, { expires: 300, minimum: 120 });
  };
  const seconds = (value: number, refresher?: string) => ({
    seconds: value,
    params: new Map(refresher === undefined ? [] : [["refresher", refresher]]),
  });

  it("shortens the interval, but not below the Min-SE of the request", () => {
    expect(asked((h) => h.set(SUPPORTED, "timer").set(SESSION_EXPIRES, seconds(1800)))).toEqual({
      seconds: 300,
      isRefresher: false,
    });
    expect(
      asked((h) => h.set(SUPPORTED, "timer").set(SESSION_EXPIRES, seconds(1800)).set(MIN_SE, seconds(600))),
    ).toEqual({ seconds: 600, isRefresher: false });
  });

  it("refreshes itself if it is asked to, or the caller cannot", () => {
    expect(asked((h) => h.set(SUPPORTED, "timer").set(SESSION_EXPIRES, seconds(200, "uas")))).toEqual({
      seconds: 200,
      isRefresher: true,
    });
    expect(asked(() => undefined)).toEqual({ seconds: 300, isRefresher: true });
  });

  it("refuses an interval below its minimum, but only to a caller who knows 422", () => {
    expect(asked((h) => h.set(SUPPORTED, "timer").set(SESSION_EXPIRES, seconds(60)))).toMatchObject({
      refuse: { status: 422 },
    });
    expect(asked((h) => h.set(SESSION_EXPIRES, seconds(60)))).toEqual({ seconds: 120, isRefresher: true });
  });

  it("does not refuse a request that requires timers", async () => {
    const { status } = await call({ timer: SESSION_TIMER, headers: (h) => void h.set(REQUIRE, "timer") });
    expect(status).toBe(200);
  });
});

it("a call with keep-alives ends within seconds when the server hangs", async () => {
  const { world, near } = await call({ keepAlive: KEEP_ALIVE });
  await world.clock.pass(MINUTE);
  expect(near).toEqual([]);
  world.network.frozen.add(SERVER.host);
  await world.clock.pass(KEEP_ALIVE.interval + KEEP_ALIVE.limit);
  expect(near).toEqual(["lost"]);
});
