import { afterEach, describe, expect, it, vi } from "vitest";
import { operator } from "../../roles/gms/common/caller.ts";
import type { GmsCore } from "../../roles/gms/context.ts";
import {
  AWAY_KMS,
  acknowledge,
  makeCore,
  makeWorld,
  memberUri,
  NOW,
  newMembers,
  periodEnd,
  sealAll,
  type World,
  type WorldOptions,
} from "./memory-gms.ts";

const GROUP = "sip:fire@home.example";
const OTHER = "sip:police@home.example";
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const END = periodEnd(NOW);

let world: World;
let core: GmsCore;
let open = false;
afterEach(async () => {
  if (open) await world.close();
  open = false;
});

async function begin(options: WorldOptions = {}) {
  world = await makeWorld(options);
  open = true;
  core = makeCore(world);
  return core.context.admin;
}

async function at(time: number): Promise<void> {
  world.clock.now = time;
  await core.schedule.tick();
}

const states = async (group = GROUP) => (await world.store.gmks(group)).map(({ state }) => state);
const causes = async () =>
  (await core.context.admin.rekeys({ limit: 20 })).map(({ cause }) => cause).reverse();

describe("a GMK with a later activation", () => {
  const LATER = NOW + HOUR_MS;

  it("leaves the previous one to all until then, newcomers too", async () => {
    const admin = await begin();
    await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(2) });
    await sealAll(core);
    await admin.rekey(operator("op"), GROUP, { activation: LATER });
    await admin.addMembers(operator("op"), GROUP, newMembers(1, 2));
    await sealAll(core);
    expect(await states()).toEqual(["live", "live"]);
    for (const i of [0, 1, 2]) {
      const records = await world.store.gktpOf(memberUri(i));
      expect(records.map(({ activation }) => activation > NOW)).toEqual([false, true]);
    }
    await at(LATER - 1);
    expect(await states()).toEqual(["live", "live"]);
    await at(LATER);
    expect(await states()).toEqual(["retired", "live"]);
    expect(await world.store.gktpOf(memberUri(2))).toHaveLength(1);
  });

  it("can also come from the policy for removals", async () => {
    const admin = await begin({ config: { policy: { activationDelay: 3600 } } });
    world.clock.now = NOW;
    await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(3) });
    await sealAll(core);
    await at(NOW + 2 * HOUR_MS);
    await admin.removeMembers(operator("op"), GROUP, [memberUri(2)]);
    await sealAll(core);
    expect(await states()).toEqual(["live", "live"]);
    await at(NOW + 3 * HOUR_MS);
    expect(await states()).toEqual(["retired", "live"]);
  });

  it("that is revoked before it is used leaves the earlier one in use", async () => {
    const admin = await begin();
    await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(1) });
    const { gmkId } = await admin.rekey(operator("op"), GROUP, { activation: LATER });
    await admin.revokeGmk(operator("op"), gmkId);
    const revoked = await states();
    await at(LATER);
    expect(await states()).toEqual(revoked);
    expect(revoked).toContain("live");
  });

  it("replaces the previous one at once where that is to be revoked", async () => {
    const admin = await begin();
    await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(1) });
    await admin.rekey(operator("op"), GROUP, { activation: LATER, revokeOld: true });
    expect(await states()).toEqual(["retired", "live"]);
  });
});

describe("due rekeys", () => {
  it("come by the group's schedule, again and again", async () => {
    const admin = await begin();
    await admin.createGroup(operator("op"), {
      uri: GROUP,
      members: newMembers(2),
      settings: { rekeyEveryMs: HOUR_MS },
    });
    await admin.createGroup(operator("op"), { uri: OTHER, members: newMembers(1) });
    const { revision } = (await admin.group(GROUP))!;
    await at(NOW + HOUR_MS - 1);
    expect(await states()).toEqual(["live"]);
    await at(NOW + HOUR_MS);
    await at(NOW + HOUR_MS + 1);
    expect(await states()).toEqual(["retired", "live"]);
    await at(NOW + 2 * HOUR_MS);
    expect(await states()).toEqual(["retired", "retired", "live"]);
    expect(await states(OTHER)).toEqual(["live"]);
    expect(await causes()).toEqual(["group created", "group created", "schedule", "schedule"]);
    // The group document is not another one for it.
    expect((await admin.group(GROUP))!.revision).toBe(revision);
    expect((await admin.auditLog({ limit: 20 })).at(-1)).toMatchObject({
      actor: "schedule",
      action: "rekey",
    });
  });

  it("come once with several processes", async () => {
    const admin = await begin();
    await admin.createGroup(operator("op"), {
      uri: GROUP,
      members: newMembers(2),
      settings: { rekeyEveryMs: HOUR_MS },
    });
    const beside = makeCore(world, { instance: "gms-2" });
    world.clock.now += HOUR_MS;
    await Promise.all([core.schedule.tick(), beside.schedule.tick()]);
    expect(await causes()).toEqual(["group created", "schedule"]);
  });

  it("come before a GMK expires", async () => {
    const admin = await begin({ config: { policy: { gmkLifetime: 4 * 3600, rekeyBeforeExpiry: 3600 } } });
    await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(1) });
    await at(NOW + 3 * HOUR_MS - 1);
    expect(await states()).toEqual(["live"]);
    await at(NOW + 3 * HOUR_MS);
    expect(await states()).toEqual(["retired", "live"]);
    expect((await causes()).at(-1)).toBe("expiry");
    expect((await admin.gmks(GROUP)).at(-1)!.expiry).toBe(NOW + 7 * HOUR_MS);
  });

  it("do not come for a GMK that another is to follow, which is dropped when it has expired", async () => {
    const admin = await begin();
    await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(1) });
    await admin.rekey(operator("op"), GROUP, { expiry: NOW + 2 * HOUR_MS });
    await admin.rekey(operator("op"), GROUP, { activation: NOW + HOUR_MS, keep: true });
    await at(NOW + 2 * HOUR_MS - 1);
    expect(await states()).toEqual(["retired", "live", "live"]);
    await at(NOW + 2 * HOUR_MS);
    expect(await states()).toEqual(["retired", "retired", "live"]);
  });

  it("come before the key period ends, once for all groups that share a GMK", async () => {
    const admin = await begin();
    await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(2) });
    await admin.createGroup(operator("op"), { uri: OTHER, members: newMembers(1) });
    await admin.rekey(operator("op"), GROUP, { sharedWith: [OTHER] });
    await at(END - DAY_MS - 1);
    expect(await states()).toEqual(["retired", "live"]);
    // By half the lead at the latest, each at its own time.
    await at(END - DAY_MS / 2);
    await at(END - DAY_MS / 2 + 2000);
    expect(await states()).toEqual(["retired", "retired", "live"]);
    expect((await causes()).slice(2)).toEqual(["on demand", "key period"]);
    expect((await admin.gmks(OTHER)).at(-1)).toMatchObject({ groups: [GROUP, OTHER], state: "live" });
  });

  it("that fail do not hold up others", async () => {
    const settings = { rekeyEveryMs: HOUR_MS };
    const admin = await begin();
    await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(2), settings });
    await admin.createGroup(operator("op"), { uri: OTHER, members: newMembers(2), settings });
    const errors: object[] = [];
    const { log, metrics } = core.context;
    let broken = true;
    const random = (length: number) => {
      if (broken && length === 4) {
        broken = false;
        throw new RangeError("no octets");
      }
      return crypto.getRandomValues(new Uint8Array(length));
    };
    core = makeCore(world, { random, metrics, log: { ...log, error: (facts) => errors.push(facts) } });
    await at(NOW + HOUR_MS);
    expect(errors).toMatchObject([{ group: GROUP, code: "INTERNAL" }]);
    expect([await states(), await states(OTHER)]).toEqual([["live"], ["retired", "live"]]);
    await at(NOW + HOUR_MS + 60_000);
    expect(await states()).toEqual(["retired", "live"]);
  });
});

describe("the border of key periods at the GMS", () => {
  /** No rekey before it, so that the GMKs of before are those of after. */
  const config = { policy: { rekeyBeforePeriodEnd: 0, gmkLifetime: 0 } };

  it("renews the GMK for those who have not taken it, under the keys of the new period", async () => {
    const admin = await begin({ config });
    const created = await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(4) });
    const { id, gmkId } = created.rekeys[0]!;
    await sealAll(core);
    await acknowledge(world, id, [memberUri(0)]);
    const refused = { rekey: id, memberUri: memberUri(1), state: "refused" as const };
    await world.store.record([refused]);
    await at(END - 1);
    expect(await causes()).toEqual(["group created"]);
    await at(END);
    await at(END + 2000);
    const [renewal, ...others] = await admin.rekeys({ limit: 10 });
    // Members who never came had been given up; should they come now, the renewal is what they get.
    expect(others).toMatchObject([{ id, state: "superseded", counts: { acknowledged: 1, superseded: 3 } }]);
    expect(renewal).toMatchObject({ kind: "renew", gmkId, total: 2, cause: "key period" });
    await sealAll(core);
    const [record, ...more] = await world.store.gktpOf(memberUri(3));
    expect(more).toEqual([]);
    const opened = await world.open(record!.octets, 3);
    expect(opened).toMatchObject({ outcome: "accepted", keyId: gmkId });
    expect(opened.outcome === "accepted" && opened.activation).toBe(NOW);
    // Members who have it keep the message that they know.
    expect((await world.store.gktpOf(memberUri(0))).map(({ rekey }) => rekey)).toEqual([id]);
  });

  it("includes messages that were not sealed before it", async () => {
    const admin = await begin({ config });
    await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(3) });
    await at(END + HOUR_MS);
    expect((await admin.rekeys({ limit: 10 })).map(({ kind, state, total }) => [kind, state, total])).toEqual(
      [
        ["renew", "running", 3],
        ["distribute", "superseded", 3],
      ],
    );
    await sealAll(core);
    const [record] = await world.store.gktpOf(memberUri(0));
    expect(await world.open(record!.octets, 0)).toMatchObject({ outcome: "accepted" });
  });

  it("gives no GMK to removed members, and renews none that was replaced", async () => {
    const admin = await begin({ config });
    await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(3) });
    await admin.removeMembers(operator("op"), GROUP, [memberUri(0)]);
    await sealAll(core);
    await at(END);
    const renewals = (await admin.rekeys({ limit: 10 })).filter(({ kind }) => kind === "renew");
    expect(renewals).toMatchObject([{ total: 2 }]);
    const planned = await admin.deliveries(renewals[0]!.id, { limit: 10 });
    expect(planned.map(({ memberUri: uri }) => uri)).toEqual([memberUri(1), memberUri(2)]);
  });

  it("is handled once, also by a process that starts later, and again at the next one", async () => {
    const admin = await begin({ config });
    await admin.createGroup(operator("op"), {
      uri: GROUP,
      members: [...newMembers(1), { uri: "sip:dora@away.example", kmsUri: AWAY_KMS }],
    });
    await at(END);
    await makeCore(world, { instance: "gms-2" }).schedule.tick();
    expect(await causes()).toEqual(["group created", "key period"]);
    // Unreachable and so finished, but not taken.
    await sealAll(core);
    await at(END + 2 * HOUR_MS);
    expect((await admin.rekeys({ limit: 1 }))[0]).toMatchObject({
      state: "done",
      counts: { unreachable: 2 },
    });
    await makeCore(world, { instance: "gms-3" }).schedule.tick();
    expect(await causes()).toHaveLength(2);
    await at(periodEnd(END));
    expect(await causes()).toEqual(["group created", "key period", "key period"]);
  });

  it("is handled by one process at a time, and some of many GMKs at a time", async () => {
    const { db } = await begin({ config }).then(() => world);
    await db.query(
      `INSERT INTO gms_gmk (gmk_id, groups, sealed, activation, text, state, created_at)
      SELECT n, ARRAY['sip:group' || n || '@home.example'], '', $1, '', 'live', $1 FROM generate_series(1, 250) AS n`,
      [NOW],
    );
    const left = async () => (await world.store.gmksToRenew(END, 1000)).length;
    const other = makeCore(world, { instance: "gms-2" });
    await at(END);
    expect(await left()).toBe(50);
    await other.schedule.tick();
    expect(await left()).toBe(50);
    world.clock.now = END + 1000;
    await other.schedule.tick();
    expect(await left()).toBe(0);
  });

  it("is handled again for a GMK that could not be renewed", async () => {
    const admin = await begin({ config });
    await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(2) });
    const { store } = core.context;
    const change = vi.spyOn(store, "change").mockRejectedValue(new Error("no"));
    await at(END);
    change.mockRestore();
    expect(await causes()).toEqual(["group created"]);
    await at(END + 1000);
    expect(await causes()).toEqual(["group created", "key period"]);
  });
});

describe("the GMS schedule", () => {
  it("marks members without a subscription for long as unreachable, and the rekey is finished", async () => {
    const admin = await begin({ config: { limits: { offlineAfterSeconds: 600 } } });
    const { rekeys } = await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(2) });
    await sealAll(core);
    await at(NOW + 599_000);
    expect((await admin.rekeyStatus(rekeys[0]!.id)).state).toBe("running");
    await at(NOW + 606_000);
    expect(await admin.rekeyStatus(rekeys[0]!.id)).toMatchObject({
      state: "done",
      counts: { unreachable: 2 },
    });
  });

  it("counts the store, and drops ended rekeys whose GMK is out of use", async () => {
    const admin = await begin({ config: { policy: { retention: 3600 } } });
    const counts: object[] = [];
    const { metrics } = core.context;
    core = makeCore(world, { metrics: { ...metrics, store: (of) => counts.push(of) } });
    const settings = { gmkLifetimeMs: HOUR_MS / 2 };
    const { rekeys } = await admin.createGroup(operator("op"), {
      uri: GROUP,
      members: newMembers(2),
      settings,
    });
    const ids = async () => (await admin.rekeys({ limit: 10 })).map(({ id }) => id);
    await admin.rekey(operator("op"), GROUP);
    await at(NOW + 1000);
    expect(counts).toEqual([{ groups: 1, members: 2, runningRekeys: 1, backlog: 2, oldestAge: 1000 }]);
    expect(await ids()).toContain(rekeys[0]!.id);
    await at(NOW + 2 * HOUR_MS);
    expect(await ids()).not.toContain(rekeys[0]!.id);
    expect(await ids()).not.toEqual([]);
  });

  it("goes on after a step that failed", async () => {
    const admin = await begin();
    const settings = { rekeyEveryMs: HOUR_MS };
    await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(1), settings });
    const errors: object[] = [];
    const { log, metrics } = core.context;
    const failing = {
      ...metrics,
      store() {
        throw new TypeError("a detail");
      },
    };
    core = makeCore(world, { metrics: failing, log: { ...log, error: (facts) => errors.push(facts) } });
    await at(NOW + HOUR_MS);
    expect(errors).toEqual([{ step: "counts", code: "INTERNAL", message: "TypeError" }]);
    expect(await states()).toEqual(["retired", "live"]);
  });
});
