/** Tests what subscribers hear of a GMS that stops. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { newMembers } from "../memory-gms.ts";
import { ADMIN, GROUP, Setup } from "./support/gms.ts";
import type { Member } from "./support/member.ts";

let setup: Setup;
beforeEach(async () => {
  setup = await Setup.create({ processes: 2 });
});
afterEach(() => setup.close());

async function subscribe(count: number): Promise<Member[]> {
  await setup.gms.context.admin.createGroup(ADMIN, { uri: GROUP, members: newMembers(count) });
  const members: Member[] = [];
  for (let i = 0; i < count; i++) {
    const member = await setup.member(i, { gms: `sip:gms@${setup.gms.host}` });
    member.subscribe();
    await setup.until(() => member.heard.length > 0);
    members.push(member);
  }
  await setup.pass(1000);
  return members;
}

/** Ends the first process; gives how long that took. */
async function stop(milliseconds: number): Promise<number> {
  const begun = setup.clock.now();
  let done = false;
  const closed = setup.gms.delivery.close(milliseconds).then(() => {
    done = true;
  });
  await setup.until(() => done, "the end of the delivery");
  await closed;
  return setup.clock.now() - begun;
}

it("a stopping GMS tells all subscribers to come back at once, and another process has them soon", async () => {
  const members = await subscribe(3);
  await stop(10_000);
  for (const { ends } of members) {
    expect(ends).toEqual([{ cause: "terminated", reason: "deactivated", retryAfter: 0 }]);
  }
  expect(setup.gms.delivery.subscriptions).toBe(0);
  const again = await setup.member(0, { gms: `sip:gms@${setup.processes[1]!.host}` });
  again.subscribe();
  const { id } = await setup.processes[1]!.context.admin.rekey(ADMIN, GROUP);
  await setup.until(async () => (await setup.states(id))[0] === "acknowledged");
  expect(setup.processes[1]!.delivery.subscriptions).toBe(1);
});

it("a stopping GMS accepts no subscription any more, new or renewed, and tells a balancer that asks", async () => {
  const [member] = await subscribe(1);
  const closing = setup.gms.delivery.close(10_000);
  const late = await setup.member(0);
  late.subscribe();
  const request = { method: "OPTIONS", uri: `sip:${setup.gms.host}`, from: "sip:balancer@home.example" };
  let status: number | undefined;
  void late.endpoint.request(request).then((response) => {
    status = response.status;
  });
  await setup.until(() => late.ends.length > 0 && status !== undefined);
  expect([late.ends[0], status]).toMatchObject([{ cause: "refused", status: 503 }, 503]);
  await closing;
  expect(member!.ends).toHaveLength(1);
});

it("a subscriber that does not answer delays a stopping GMS no longer than the limit", async () => {
  const members = await subscribe(2);
  await members[0]!.close();
  const took = await stop(3000);
  expect(members[1]!.ends).toMatchObject([{ reason: "deactivated" }]);
  expect(took).toBeGreaterThanOrEqual(3000);
  expect(took).toBeLessThan(4000);
});
