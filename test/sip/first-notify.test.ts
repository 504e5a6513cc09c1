/** Tests what the notifier's owner learns of the NOTIFY after a SUBSCRIBE, and what a SUBSCRIBE cannot do to it. */
import { describe, expect, it } from "vitest";
import type { NotifierSubscription } from "../../transport/sip/index.ts";
import { World } from "./support/endpoints.ts";

describe("the NOTIFY after a SUBSCRIBE", () => {
  it.each([200, 488, 408])(
    "that is answered with %i ends the subscription, and the owner of the state is told",
    async (status) => {
      const world = await new World().start();
      const answers: number[] = [];
      world.notifier({ current: () => ({ answered: (result) => answers.push(result.status) }) });
      world.subscribe({ onNotify: () => (status === 408 ? new Promise(() => undefined) : { status }) });
      await world.clock.pass(60_000);
      expect(answers).toEqual([status]);
    },
  );

  it("counts a route that leads nowhere as no way to the subscriber, and nothing more", async () => {
    const world = await new World().start();
    let subscription: NotifierSubscription | undefined;
    world.notifier({
      onSubscribe: (given) => {
        subscription = given;
        return { state: "active" };
      },
    });
    world.subscribe({ headers: (h) => void h.append("Record-Route", "<tel:123>") });
    await world.clock.pass(50);
    expect(await subscription!.notify({})).toMatchObject({ status: 503 });
    expect(subscription!.state).toBe("active");
  });

  it("is withheld beyond the limit of subscriptions, also while they are being decided on", async () => {
    const world = await new World().start();
    const decide: (() => void)[] = [];
    world.notifier({
      maxSubscriptions: 1,
      onSubscribe: () => new Promise((resolve) => decide.push(() => resolve({ state: "active" }))),
    });
    world.subscribe();
    world.subscribe();
    await world.clock.pass(50);
    expect(world.lines.filter((line) => line.startsWith("503"))).toHaveLength(1);
    decide[0]!();
    await world.clock.pass(50);
    expect(world.notifies).toHaveLength(1);
  });
});

it("a SUBSCRIBE without a Contact is malformed, as no dialog can come of it (RFC 3261 12.1.1)", async () => {
  const world = await new World().start();
  const notifier = world.notifier();
  world.subscribe({ headers: (h) => void h.delete("Contact") });
  await world.clock.pass(50);
  expect(world.lines[1]).toBe("400 Bad Request");
  expect(notifier.subscriptions.size).toBe(0);
});

describe("a subscriber without credentials", () => {
  it.each([
    [true, "200 OK", ["active", "terminated"], [4, 0]],
    [false, "401 Unauthorized", ["active"], [4]],
  ] as const)(
    "that may leave without them: %s, is answered with %s",
    async (freeToLeave, line, states, lengths) => {
      const world = await new World().start();
      let identified = 0;
      const notifier = world.notifier({
        freeToLeave,
        authenticator: {
          check: async () =>
            ++identified === 1 ? { ok: true, identity: "alice" } : { ok: false, answer: { status: 401 } },
        },
      });
      const subscription = world.subscribe();
      await world.clock.pass(50);
      subscription.unsubscribe();
      await world.clock.pass(50);
      expect(world.lines.filter((text) => /^\d/.test(text))).toContain(line);
      expect(world.notifies.map(({ state }) => state)).toEqual(states);
      // An unauthenticated subscriber gets nothing of the state.
      expect(world.notifies.map(({ body }) => body.length)).toEqual(lengths);
      expect(notifier.subscriptions.size).toBe(freeToLeave ? 0 : 1);
    },
  );
});
