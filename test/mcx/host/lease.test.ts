/** When a process may serve its groups: by its own clocks never longer than the database says. */
import { expect, it } from "vitest";
import { Lease } from "../../../roles/mcx/cluster/lease.ts";
import { OwnedGroups } from "../../../roles/mcx/cluster/owned-groups.ts";
import { LastingFaults } from "../../../roles/server/lasting-faults.ts";
import { noLog } from "../../../roles/server/log.ts";
import { VirtualClock } from "../../support/clock.ts";
import { seededRandom } from "../../support/random.ts";

const LEASE = 3000;
const GROUP = "sip:fire@home.example";

function world() {
  const clock = new VirtualClock();
  const random = seededRandom("lease");
  const store = {
    begun: [] as string[],
    renewed: 0,
    isReachable: true,
    keeps: true,
    async begin(instance: string) {
      if (!store.isReachable) throw new Error("away");
      store.begun.push(instance);
    },
    async renew() {
      if (!store.isReachable) throw new Error("away");
      store.renewed++;
      return store.keeps;
    },
  };
  let wall = 0;
  const losses: number[] = [];
  const lease = new Lease({
    store,
    contacts: () => ({}),
    leaseMs: LEASE,
    clock,
    monotonic: () => clock.now(),
    now: () => clock.now() + wall,
    random,
    faults: new LastingFaults(noLog),
    log: noLog,
    onLost: () => losses.push(clock.now()),
  });
  const suspend = (milliseconds: number) => {
    wall += milliseconds;
  };
  return { clock, store, lease, losses, suspend };
}

it("a process renews its lease three times in its duration, and lives", async () => {
  const { clock, store, lease, losses } = world();
  await lease.start();
  await clock.pass(10 * LEASE);
  expect([store.begun.length, store.renewed, losses, lease.isLive]).toEqual([1, 30, [], true]);
});

it("a process gives up its lease while the database is away, and begins under another name", async () => {
  const { clock, store, lease, losses } = world();
  await lease.start();
  const { instance } = lease;
  const at = clock.now();
  store.isReachable = false;
  await clock.pass(LEASE - 1);
  expect([lease.instance, losses]).toEqual([instance, []]);
  await clock.pass(1);
  expect([lease.isLive, lease.instance, losses]).toEqual([false, undefined, [at + LEASE]]);
  await clock.pass(10_000);
  store.isReachable = true;
  await clock.pass(LEASE);
  expect(lease.isLive).toBe(true);
  expect(store.begun[1]).not.toBe(instance);
  expect(losses).toHaveLength(1);
});

it("a process gives up its lease at once when others have taken over", async () => {
  const { clock, store, lease, losses } = world();
  await lease.start();
  store.keeps = false;
  await clock.pass(LEASE / 3);
  expect(losses).toHaveLength(1);
  store.keeps = true;
  await clock.pass(1);
  expect([lease.isLive, store.begun.length]).toEqual([true, 2]);
});

it("a lease ends during a suspension of the machine, before any timer has run", async () => {
  const { lease, suspend } = world();
  await lease.start();
  suspend(LEASE - 1);
  expect(lease.isLive).toBe(true);
  suspend(1);
  expect(lease.isLive).toBe(false);
});

it("a process keeps a group while it is claimed or has a call, and gives it back after", async () => {
  const released: string[] = [];
  const open = new Set<string>();
  let asked = 0;
  const lease: { instance: string | undefined } = { instance: "here" };
  const groups = new OwnedGroups({
    store: {
      async own() {
        asked++;
        return { instance: "here", contacts: {} };
      },
      async release(_, group) {
        released.push(group);
      },
      releaseUnused: async () => 0,
    },
    lease,
    isOpen: (group) => open.has(group),
    clock: new VirtualClock(),
    faults: new LastingFaults(noLog),
  });
  const [one, two] = [await groups.claim(GROUP), await groups.claim(GROUP)];
  expect([one.where, two.where, asked]).toEqual(["here", "here", 1]);
  if (one.where !== "here" || two.where !== "here") return;
  one.done();
  one.done();
  await Promise.resolve();
  expect(released).toEqual([]);
  open.add(GROUP);
  two.done();
  expect((await groups.claim(GROUP)).where).toBe("here");
  expect([released, asked]).toEqual([[], 1]);
  lease.instance = "another";
  expect(two.holds()).toBe(false);
  lease.instance = undefined;
  groups.lost();
  expect((await groups.claim(GROUP)).where).toBe("nowhere");
});
