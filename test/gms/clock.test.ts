/** Clocks that are wrong: that of a process, and that of the database. */

import { afterEach, expect, it } from "vitest";
import { operator } from "../../roles/gms/common/caller.ts";
import { createPrometheusMetrics } from "../../roles/gms/common/metrics-prom.ts";
import { readiness } from "../../roles/gms/readiness.ts";
import { GmsStore } from "../../store/gms/gms-store.ts";
import { makeCore, makeWorld, memberUri, NOW, newMembers, sealAll, type World } from "./memory-gms.ts";

const GROUP = "sip:fire@home.example";
const HOUR = 3_600_000;

let world: World;
afterEach(() => world.close());

/** A process whose host's clock is ahead by so much, which the test may change. */
function process(ahead: { ms: number }, options: Parameters<typeof makeCore>[1] = {}) {
  const lines: string[] = [];
  const log = {
    debug() {},
    info: (_: object, text: string) => lines.push(text),
    warn: (_: object, text: string) => lines.push(text),
    error: (_: object, text: string) => lines.push(text),
  };
  const core = makeCore(world, { now: () => world.clock.now + ahead.ms, log, ...options });
  return { core, lines };
}

it.each([
  ["an hour ahead", HOUR],
  ["an hour behind", -HOUR],
  ["forty days ahead", 40 * 24 * HOUR],
])(
  "a process whose clock is %s is not ready, reports it once, plans and seals nothing, and recovers later",
  async (_, ms) => {
    world = await makeWorld();
    const { admin } = makeCore(world).context;
    await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(3) });
    const ahead = { ms };
    const wrong = process(ahead);
    const { context, schedule } = wrong.core;
    await context.clock.measure();
    const ready = readiness(context);
    await expect(ready()).rejects.toMatchObject({ kind: "transport", code: "CLOCK_OFF" });
    await expect(context.admin.rekey(operator("op"), GROUP)).rejects.toMatchObject({ code: "CLOCK_OFF" });
    expect(await world.store.rekeys({ limit: 9 })).toHaveLength(1);
    wrong.core.sealer.start();
    await schedule.tick();
    await wrong.core.sealer.stop();
    expect((await world.store.rekey(1))!.counts).toMatchObject({ planned: 3, sealed: 0 });
    expect(wrong.lines).toEqual(["the clock of this host and that of the database differ"]);

    ahead.ms = 0;
    await schedule.tick();
    await ready();
    expect(wrong.lines.at(-1)).toBe("the clocks of this host and of the database agree again");
    await context.admin.rekey(operator("op"), GROUP);
    await sealAll(wrong.core);
    // All members accept the messages that it seals now, and those of the others.
    for (let i = 0; i < 3; i++) {
      const messages = await world.store.gktpOf(memberUri(i));
      expect(messages.length).toBeGreaterThan(0);
      for (const { octets } of messages) {
        expect(await world.open(octets, i, { delivery: "sip" } as never)).toMatchObject({
          outcome: "accepted",
        });
      }
    }
  },
);

it("a process that is a few seconds off works, and its times are those of the database", async () => {
  world = await makeWorld();
  const { core } = process({ ms: 4000 });
  await core.context.clock.measure();
  expect(core.context.now()).toBe(NOW);
  await core.context.admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(1) });
  expect(await core.context.admin.gmks(GROUP)).toMatchObject([{ activation: NOW, createdAt: NOW }]);
  await readiness(core.context)();
});

it("a T that the database's clock left far ahead is reported at the start, refused, and set back by an operator", async () => {
  world = await makeWorld();
  const before = makeCore(world);
  world.clock.now = NOW + HOUR;
  await before.context.admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(2) });
  world.clock.now = NOW;
  const metrics = createPrometheusMetrics();
  const { core, lines } = process({ ms: 0 }, { metrics });
  await core.start();
  await core.stop();
  expect(lines).toContain("T is ahead of the database's clock");
  const { admin } = core.context;
  await expect(readiness(core.context)()).rejects.toMatchObject({ code: "CLOCK_AHEAD" });
  await expect(admin.rekey(operator("op"), GROUP)).rejects.toMatchObject({ code: "CLOCK_AHEAD" });
  expect(await metrics.text()).toContain("gms_message_time_ahead_seconds 3600");
  expect(await admin.resetClock(operator("op"))).toEqual({ ahead: 3600, groups: [GROUP] });
  await readiness(core.context)();
  await admin.rekey(operator("op"), GROUP);
  await sealAll(core);
  for (let i = 0; i < 2; i++) {
    const [message] = await world.store.gktpOf(memberUri(i));
    expect(await world.open(message!.octets, i)).toMatchObject({ outcome: "accepted" });
  }
  const log = await admin.auditLog({ limit: 100 });
  expect(log.map(({ action }) => action)).toContain("clock-reset");
});

it("T is not set back by a process whose own clock contradicts the database's", async () => {
  world = await makeWorld();
  const { core } = process({ ms: HOUR });
  await core.context.clock.measure();
  await expect(core.context.admin.resetClock(operator("op"))).rejects.toMatchObject({ code: "CLOCK_OFF" });
});

it("a process is not ready without the keys of the present period, or where nothing can be written", async () => {
  world = await makeWorld();
  const keys = world.keys.current();
  const { context } = makeCore(world, { keys: { ...world.keys, current: () => keys } });
  const ready = readiness(context);
  await ready();
  world.clock.now += 400 * 24 * HOUR;
  await context.clock.measure();
  await expect(ready()).rejects.toMatchObject({ code: "NO_SIGNING_KEY" });
  world.clock.now = NOW;
  await context.clock.measure();

  const readOnly = GmsStore.open(
    { ...world.db, query: (text, params) => refuseWrites(text) ?? world.db.query(text, params) },
    world.envelope,
    { now: world.now },
  );
  const other = makeCore(world, { store: readOnly }).context;
  await expect(readiness(other)()).rejects.toThrow("cannot execute UPDATE");
});

/** Refuses statements that write, which is what a full disk or a standby does. */
function refuseWrites(text: string): Promise<never> | undefined {
  return /^\s*SELECT/.test(text)
    ? undefined
    : Promise.reject(new Error(`cannot execute ${text.trim().split(" ")[0]}`));
}
