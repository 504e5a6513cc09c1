/** Tests what keeps many subscriptions going side by side: slots, locks, and calls to the store that go together. */
import { describe, expect, it } from "vitest";
import { reasonOf, verdictOf } from "../../../roles/gms/sip/answers.ts";
import { NotifyLock } from "../../../roles/gms/sip/notify-lock.ts";
import { NotifySlots } from "../../../roles/gms/sip/notify-slots.ts";
import { Revisions } from "../../../roles/gms/sip/revisions.ts";
import { WriteBehind } from "../../../roles/gms/sip/write-behind.ts";
import { TIME_TEXT, WARNING_TEXT } from "../../../roles/group-keys/notify-answer.ts";
import { VirtualClock } from "../../support/clock.ts";

describe("the slots for NOTIFYs", () => {
  it("are given back with the answer, or after a second without one", async () => {
    const clock = new VirtualClock();
    let freed = 0;
    const slots = new NotifySlots(clock, 2, () => freed++);
    const [first] = [slots.take(), slots.take()];
    expect([slots.free, slots.unanswered]).toEqual([0, 2]);
    first!();
    first!();
    expect([slots.free, slots.unanswered, freed]).toEqual([1, 1, 1]);
    await clock.pass(1000);
    expect([slots.free, slots.unanswered, freed]).toEqual([2, 1, 2]);
    expect(clock.pending).toBe(0);
  });

  it("go to those who wait for one first, in their order", async () => {
    const slots = new NotifySlots(new VirtualClock(), 1, () => expect.unreachable());
    const order: string[] = [];
    const first = slots.take();
    const wait = (name: string) =>
      slots.wait().then((release) => {
        order.push(name);
        return release;
      });
    const [a, b] = [wait("a"), wait("b")];
    first();
    expect(slots.free).toBe(0);
    (await a)();
    await b;
    expect(order).toEqual(["a", "b"]);
  });
});

describe("the lock of sending", () => {
  it("report once that they were wanted", () => {
    const lock = new NotifyLock();
    expect([lock.take(), lock.take(), lock.take()]).toEqual([true, false, false]);
    expect(lock.release()).toBe(true);
    expect([lock.take(), lock.release()]).toEqual([true, false]);
  });

  it("go to those who wait first", async () => {
    const lock = new NotifyLock();
    await lock.wait();
    const next = lock.wait();
    lock.take();
    expect(lock.release()).toBe(false);
    await next;
    expect([lock.taken, lock.release(), lock.taken]).toEqual([true, true, false]);
  });
});

describe("background writes", () => {
  it("include what came while one was under way, up to a limit", async () => {
    const calls: number[][] = [];
    const writes = new WriteBehind<number>(
      async (items) => void calls.push([...items]),
      3,
      () => undefined,
    );
    for (let i = 1; i <= 7; i++) writes.add(i);
    await writes.close();
    writes.add(8);
    await writes.close();
    expect(calls).toEqual([[1, 2, 3], [4, 5, 6], [7]]);
  });

  it("are repeated after a failure, in order, when it is time", async () => {
    const calls: number[][] = [];
    let again: (() => void) | undefined;
    const failed = new Promise<void>((resolve) => {
      const work = async (items: readonly number[]) => {
        calls.push([...items]);
        if (calls.length === 1) throw new Error("no database");
      };
      const writes = new WriteBehind<number>(work, 2, (run) => {
        again = () => {
          run();
          void writes.close().then(resolve);
        };
        setImmediate(() => {
          writes.add(4);
          again!();
        });
      });
      writes.add(1, 2, 3);
    });
    await failed;
    expect(calls).toEqual([
      [1, 2],
      [1, 2],
      [3, 4],
    ]);
  });
});

describe("the revisions of groups", () => {
  it("are compared with the last seen ones, by views and by looks", () => {
    const revisions = new Revisions();
    expect(revisions.areNewer(new Map([["g", 3]]))).toBe(false);
    expect(revisions.changed(["g"], new Map([["g", 3]]))).toEqual([]);
    expect(revisions.changed(["g", "h"], new Map([["g", 4]]))).toEqual(["g"]);
    // A view from before the look.
    expect(revisions.areNewer(new Map([["g", 3]]))).toBe(true);
    expect(revisions.changed(["g"], new Map())).toEqual(["g"]);
    revisions.keep(new Set());
    expect(revisions.changed(["g"], new Map([["g", 1]]))).toEqual(["g"]);
  });
});

describe("the answer to a NOTIFY", () => {
  const result = (status: number) => ({ status, reason: "Reason", warnings: [] });

  it.each([
    [200, "taken"],
    [202, "taken"],
    [488, "refused"],
    [400, "refused"],
    [606, "refused"],
    [408, "later"],
    [429, "later"],
    [491, "later"],
    [500, "later"],
    [503, "later"],
    [302, "later"],
  ])("with %i counts as %s", (status, verdict) => {
    expect(verdictOf(result(status), false, 1)).toBe(verdict);
  });

  it("that refuses T alone is retried for one message, and of several each is tried alone first", () => {
    const warnings = [WARNING_TEXT, TIME_TEXT].map((text) => ({ code: 399, agent: "x", text }));
    const untimely = { status: 488, reason: "Not Acceptable Here", warnings };
    expect([1, 2].map((messages) => verdictOf(untimely, false, messages))).toEqual(["later", "refused"]);
  });

  it("that ended the subscription leaves nothing to retry, unless it was a 2xx", () => {
    expect([481, 408, 200].map((status) => verdictOf(result(status), true, 1))).toEqual([
      "gone",
      "gone",
      "taken",
    ]);
  });

  it("gives its warnings as a reason, of limited length and without what could spoil a log", () => {
    const text = "136 authentication of the MIKEY-SAKKE I_MESSAGE failed";
    const warnings = [{ code: 399, agent: "ue", text }];
    expect(reasonOf({ status: 488, reason: "Not Acceptable Here", warnings })).toBe(text);
    expect(reasonOf(result(488))).toBe("Reason");
    const evil = [{ code: 399, agent: "ue", text: `a\n\u001b[31m\ud800${"x".repeat(5000)}` }];
    expect(reasonOf({ status: 488, reason: "", warnings: evil })).toMatch(/^a\?\?\[31m\?x{190,200}$/);
  });
});
