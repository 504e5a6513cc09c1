/** Tests how long a client waits for servers that have been silent. */
import { expect, it } from "vitest";
import { Silences } from "../../../roles/group-keys/silences.ts";

function silencesAt(times: readonly number[]): { silences: Silences; pass(milliseconds: number): void } {
  let now = 0;
  const silences = new Silences({ now: () => now, after: () => () => undefined });
  for (const time of times) {
    now = time;
    silences.noticed();
  }
  return {
    silences,
    pass(milliseconds) {
      now += milliseconds;
    },
  };
}

it("the time limit for a silent server doubles from the second silence on, and is as before after five minutes", () => {
  expect(silencesAt([0]).silences.limit(1000)).toBe(1000);
  const { silences, pass } = silencesAt([0, 10_000, 20_000]);
  expect(silences.limit(1000)).toBe(4000);
  pass(300_000);
  expect(silences.limit(1000)).toBe(1000);
});

it("a process that was silent just now is not waited for longer than before", () => {
  const { silences, pass } = silencesAt([0, 10_000]);
  expect(silences.limit(1000)).toBe(2000);
  expect(silences.limitOfOwner(1000)).toBe(1000);
  pass(5000);
  expect(silences.limitOfOwner(1000)).toBe(2000);
});
