/** Tests which process of an MCX server serves which group, as the database settles it; two stores on one database. */
import { expect, it } from "vitest";
import { utf8 } from "../../../base/bytes.ts";
import { Envelope } from "../../../store/database/envelope.ts";
import type { Database } from "../../../store/database/sql.ts";
import { McxStore } from "../../../store/mcx/mcx-store.ts";
import { onEachDatabase } from "../../support/databases.ts";
import { NOW } from "../../support/names.ts";
import { seededRandom } from "../../support/random.ts";

const KEK = seededRandom("store key")(32);
const LEASE = 3000;
const group = (n: number) => `sip:group-${n}@home.example`;
const contactsOf = (instance: string) => ({ tcp: `sip:mcx@${instance}.example:5070;transport=tcp` });

onEachDatabase("processes of an MCX server", ({ fresh, again }) => {
  /** Each store as another process opens it; `clock` is that of the database. */
  async function stores(count: number) {
    const clock = { now: NOW };
    const open = async (db: Database) =>
      McxStore.open(db, await Envelope.open(db, KEK), { now: () => clock.now });
    const first = await open(await fresh());
    const others = await Promise.all(Array.from({ length: count - 1 }, async () => open(await again())));
    return { clock, all: [first, ...others] };
  }

  async function begun(count: number) {
    const { clock, all } = await stores(count);
    const names = all.map((_, i) => `p${i}`);
    for (const [i, store] of all.entries()) await store.begin(names[i]!, contactsOf(names[i]!), LEASE);
    return { clock, all, names };
  }

  it("processes agree on the owner of each group, whichever is asked, and at the same time", async () => {
    const { all, names } = await begun(2);
    const groups = Array.from({ length: 12 }, (_, n) => group(n));
    const answers = await Promise.all(
      groups.flatMap((uri) => all.map((store, i) => store.own(uri, names[i]!))),
    );
    const owners = groups.map((_, n) => [answers[2 * n]!.instance, answers[2 * n + 1]!.instance]);
    for (const [one, other] of owners) expect(one).toBe(other);
    expect(answers[0]!.contacts).toEqual(contactsOf(answers[0]!.instance));
  });

  it("processes own equally many groups each, even if all are asked for at one of them", async () => {
    const { all, names } = await begun(3);
    const counts = new Map<string, number>();
    for (let n = 0; n < 9; n++) {
      const { instance } = (await all[0]!.own(group(n), names[0]!))!;
      counts.set(instance, (counts.get(instance) ?? 0) + 1);
    }
    expect([...counts.values()]).toEqual([3, 3, 3]);
    expect((await all[2]!.own(group(100), "p2"))!.instance).toBe("p2");
  });

  it("a process loses its groups when its lease ends, and not before, and cannot renew it then", async () => {
    const { clock, all } = await begun(2);
    expect((await all[0]!.own(group(1), "p0"))!.instance).toBe("p0");
    clock.now += LEASE - 1;
    expect(await all[1]!.renew("p1", LEASE)).toBe(true);
    expect((await all[1]!.own(group(1), "p1"))!.instance).toBe("p0");
    clock.now += 1;
    expect((await all[1]!.own(group(1), "p1"))!.instance).toBe("p1");
    expect(await all[0]!.renew("p0", LEASE)).toBe(false);
    expect((await all[0]!.own(group(1), "p0"))!.instance).toBe("p1");
    // Later statements of the dead process change nothing.
    await all[0]!.release("p0", group(1));
    expect((await all[0]!.own(group(1), "p0"))!.instance).toBe("p1");
  });

  it("a process cannot renew a lease that has ended, though nobody has taken over", async () => {
    const { clock, all } = await begun(1);
    clock.now += LEASE;
    expect(await all[0]!.renew("p0", LEASE)).toBe(false);
    expect(await all[0]!.own(group(1), "p0")).toBeUndefined();
  });

  it("at the end of its lease a process renews or is declared dead, never both", async () => {
    const { clock, all } = await begun(2);
    for (let round = 0; round < 20; round++) {
      const name = `r${round}`;
      await all[1]!.begin(name, {}, LEASE);
      await all[1]!.renew("p1", LEASE);
      await all[1]!.retire("p0").catch(() => undefined);
      const uri = group(1000 + round);
      // Only the new process can be given a group.
      await all[1]!.retire("p1");
      expect((await all[1]!.own(uri, name))!.instance).toBe(name);
      await all[0]!.begin(`s${round}`, {}, LEASE + 10);
      clock.now += LEASE - 1;
      const renewing = all[0]!.renew(name, LEASE);
      clock.now += 1;
      const taking = all[1]!.own(uri, `s${round}`);
      const [kept, owner] = await Promise.all([renewing, taking]);
      expect(owner!.instance === name).toBe(kept);
      await all[0]!.end(name);
      await all[0]!.end(`s${round}`);
      await all[1]!.end("p1");
      await all[1]!.begin("p1", {}, LEASE);
    }
  });

  it("a retiring process gets no more groups, and the others get its groups once it has ended", async () => {
    const { all } = await begun(2);
    expect((await all[0]!.own(group(1), "p0"))!.instance).toBe("p0");
    await all[0]!.retire("p0");
    expect((await all[1]!.own(group(1), "p1"))!.instance).toBe("p0");
    for (const n of [2, 3]) expect((await all[0]!.own(group(n), "p0"))!.instance).toBe("p1");
    await all[0]!.end("p0");
    expect((await all[1]!.own(group(1), "p1"))!.instance).toBe("p1");
  });

  it("a process gives back groups that nobody asked for", async () => {
    const { clock, all } = await begun(2);
    for (const n of [0, 1, 2, 3]) await all[0]!.own(group(n), "p0");
    clock.now += 2000;
    await all[0]!.renew("p0", LEASE);
    await all[1]!.renew("p1", LEASE);
    expect(await all[0]!.releaseUnused("p0", 2001, [])).toBe(0);
    expect(await all[0]!.releaseUnused("p0", 2000, [group(0)])).toBe(1);
    expect((await all[1]!.own(group(2), "p1"))!.instance).toBe("p0");
  });

  it("processes get each message of the others once, in order, and none of their own", async () => {
    const { clock, all } = await begun(3);
    for (const n of [1, 2, 3]) expect(await all[0]!.post("p0", utf8(`message ${n}`))).toBe(2);
    expect(await all[0]!.take("p0", 10)).toEqual([]);
    expect(await all[1]!.take("p1", 2)).toEqual([utf8("message 1"), utf8("message 2")]);
    expect(await all[1]!.take("p1", 10)).toEqual([utf8("message 3")]);
    expect(await all[1]!.take("p1", 10)).toEqual([]);
    expect(await all[2]!.take("p2", 10)).toHaveLength(3);
    clock.now += LEASE;
    await all[0]!.begin("later", {}, LEASE);
    expect(await all[1]!.post("p1", utf8("to the living"))).toBe(1);
  });

  it("processes share what one of them has seen, until its time is over", async () => {
    const { clock, all } = await stores(2);
    const digest = new Uint8Array(32).fill(7);
    const answers = await Promise.all([all[0]!.firstSeen(digest, 1000), all[1]!.firstSeen(digest, 1000)]);
    expect(answers.sort()).toEqual([false, true]);
    clock.now += 999;
    expect(await all[0]!.firstSeen(digest, 1000)).toBe(false);
    clock.now += 1;
    expect(await all[0]!.firstSeen(digest, 1000)).toBe(true);
  });

  it("processes share records, of which each is made once", async () => {
    const { all } = await stores(2);
    const made = await Promise.all(all.map((store, i) => store.records.create("a/b", utf8(`from ${i}`))));
    expect(made.filter(Boolean)).toHaveLength(1);
    expect(await all[0]!.records.get("a/b")).toEqual(await all[1]!.records.get("a/b"));
    expect(await all[1]!.records.list("a/")).toEqual(["a/b"]);
  });
});
