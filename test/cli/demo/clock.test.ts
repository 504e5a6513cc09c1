/** Steps of the demo on a clock of its own: they last as long as they go on, and not longer. */
import { describe, expect, it } from "vitest";
import { StepClock, type Work } from "../../../cli/demo/clock.ts";
import { settle, VirtualClock } from "../../support/clock.ts";

const MINUTE = 60_000;

function started(count: number) {
  const clock = new VirtualClock();
  const shown: number[] = [];
  const progress = { update: (done: number) => void shown.push(done), end: () => void shown.push(-1) };
  const steps = new StepClock(() => progress, clock);
  let step: Work | undefined;
  let finish: (value: string) => void = () => {};
  const result = steps.time("rekey", count, (work) => {
    step = work;
    return new Promise<string>((resolve) => {
      finish = resolve;
    });
  });
  return { clock, shown, steps, step: step!, finish, result };
}

describe("a step of the demo", () => {
  it("may take for ever as long as it makes progress", async () => {
    const { clock, shown, steps, step, finish, result } = started(200);
    for (let done = 1; done <= 200; done++) {
      await clock.pass(MINUTE - 1000);
      step.update(done);
    }
    finish("done");
    expect(await result).toBe("done");
    expect(steps.steps).toEqual([{ name: "rekey", count: 200, ms: 200 * (MINUTE - 1000) }]);
    expect(shown.at(-1)).toBe(-1);
    expect(clock.pending).toBe(0);
  });

  it("ends after a minute without progress, and says how far it came and what is missing", async () => {
    const { clock, steps, step, result } = started(200);
    step.lacks(() => "sip:member7@example.org has no key");
    const failed = expect(result).rejects.toMatchObject({
      kind: "transport",
      code: "DEMO_INCOMPLETE",
      message: "rekey: 12 of 200, and no more for 60 s: sip:member7@example.org has no key",
    });
    await clock.pass(MINUTE / 2);
    step.update(12);
    for (let i = 0; i < 20; i++) {
      await clock.pass(3000);
      // Told again, and less than before, is no progress.
      step.update(i % 2 === 0 ? 12 : 7);
    }
    await settle();
    await failed;
    expect(step.signal.aborted).toBe(true);
    expect(steps.steps).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  it("is listed in the table when it fails", async () => {
    const steps = new StepClock(() => ({ update() {}, end() {} }), new VirtualClock());
    const failing = steps.time("join the group call", 3, () => Promise.reject(new Error("refused")));
    await expect(failing).rejects.toThrow("refused");
    expect(steps.steps.map(({ name }) => name)).toEqual(["join the group call"]);
  });
});
