import { expect, it } from "vitest";
import { ntpFold, ntpFromUnixMs, ntpUnfold } from "../../../bindings/identity/ntp.ts";
import { sealSlice } from "../../../bindings/mikey/build.ts";
import { planSeal } from "../../../bindings/mikey/plan.ts";
import { seededRandom } from "../../support/random.ts";
import { ALICE, BOB, makeWorld, NOW } from "../../support/world.ts";

const world = await makeWorld();
const request = { kind: "GMK", members: [{ uri: ALICE }, { uri: BOB }] } as const;
const context = { initiator: world.gms, random: seededRandom("given times"), now: NOW };

it("sealing uses the caller's T for the first member when processes share an initiator", async () => {
  const time = ntpFold(ntpUnfold(ntpFromUnixMs(NOW - 5000)) + 77n);
  const plan = planSeal(request, { ...context, time });
  expect(plan.time).toBe(time);
  expect(plan.parametersDate).toBe((NOW - 5000) / 1000);
  const messages = await sealSlice(plan, { ...context, domains: [] });
  expect(messages.map((message) => message.time)).toEqual([time, time + 1n]);
});

it("sealing with the caller's times leaves the initiator's own times alone", () => {
  const before = world.gms.reserveTimes(NOW + 60_000, 1);
  planSeal(request, { ...context, time: ntpFromUnixMs(NOW + 120_000) });
  expect(world.gms.reserveTimes(NOW + 60_000, 1)).toBe(before + 1n);
});

it("sealing refuses times that reach into the next second, which may be another key period", () => {
  const last = (ntpUnfold(ntpFromUnixMs(NOW)) & ~0xffffffffn) + 0xffffffffn;
  const attempt = () => planSeal(request, { ...context, time: ntpFold(last) });
  expect(attempt).toThrow(expect.objectContaining({ kind: "usage", code: "BAD_TIME" }));
  expect(planSeal({ ...request, members: [{ uri: ALICE }] }, { ...context, time: ntpFold(last) }).time).toBe(
    last,
  );
});
