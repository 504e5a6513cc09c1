/** Each kind of answer to a NOTIFY, what the store says then, and what is tried again. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { toHex } from "../../../base/bytes.ts";
import { TIME_TEXT } from "../../../roles/group-keys/notify-answer.ts";
import { memberUri, newMembers } from "../memory-gms.ts";
import { ADMIN, GROUP, Setup } from "./support/gms.ts";
import { type Member, OK, refuse, SILENT, WARNING_TEXT } from "./support/member.ts";

const OTHER = "sip:group2@home.example";
const TRIES = 4;

let setup: Setup;
beforeEach(async () => {
  const limits = { deliveryTries: TRIES, offlineAfterSeconds: 120, notifiesInFlight: 4 };
  setup = await Setup.create({ config: { limits } });
});
afterEach(() => setup.close());

const admin = () => setup.gms.context.admin;

async function group(members: number, uri = GROUP): Promise<number> {
  const { rekeys } = await admin().createGroup(ADMIN, { uri, members: newMembers(members) });
  await setup.until(async () => (await setup.states(rekeys[0]!.id)).every((state) => state !== "planned"));
  return rekeys[0]!.id;
}

async function subscribed(i: number): Promise<Member> {
  const member = await setup.member(i);
  member.subscribe();
  await setup.until(() => member.heard.length > 0);
  return member;
}

const becomes = (rekey: number, ...states: string[]) =>
  setup.until(
    async () => JSON.stringify(await setup.states(rekey)) === JSON.stringify(states),
    states.join(),
  );

describe("a 488 from a member", () => {
  it("refuses the message, with the text of its Warning; the rekey is done", async () => {
    const rekey = await group(1);
    const member = await setup.member(0);
    member.reply = () => refuse(488);
    member.subscribe();
    await becomes(rekey, "refused");
    expect((await setup.deliveries(rekey))[0]).toMatchObject({ status: 488, reason: WARNING_TEXT });
    expect((await setup.world.store.rekey(rekey))?.state).toBe("done");
    // The rest of the state, without the message.
    await setup.until(() => member.heard.length === 2);
    expect(member.last.added).toEqual([]);
    await setup.pass(20_000);
    expect(member.heard.length).toBe(2);
  });

  it("to T alone is not final: the member has the key within ten seconds of the clock being right", async () => {
    const rekey = await group(1);
    const member = await setup.member(0);
    member.reply = () => refuse(488, TIME_TEXT);
    member.subscribe();
    await setup.pass(60_000);
    // Ever more slowly, and never given up before its time.
    expect(member.heard.length).toBeGreaterThan(6);
    expect(member.heard.length).toBeLessThan(20);
    expect(await setup.states(rekey)).toEqual(["sealed"]);
    member.reply = OK;
    await setup.pass(10_000);
    expect(await setup.states(rekey)).toEqual(["acknowledged"]);
  });

  it("to T alone for as long as members may be away makes the member unreachable", async () => {
    const rekey = await group(1);
    const member = await setup.member(0);
    member.reply = () => refuse(488, TIME_TEXT);
    member.subscribe();
    await becomes(rekey, "unreachable");
    expect((await setup.deliveries(rekey))[0]!.reason).toContain(TIME_TEXT);
    member.reply = OK;
    member.subscribe();
    await becomes(rekey, "acknowledged");
  });

  it("to several messages makes the GMS send each alone, to learn which one is refused", async () => {
    const rekeys = [await group(1), await group(1, OTHER)];
    const member = await setup.member(0);
    const bad = (await setup.world.store.gktpOf(member.uri)).find(({ rekey }) => rekey === rekeys[1])!;
    const isBad = (octets: Uint8Array) => toHex(octets) === toHex(bad.octets);
    member.reply = ({ added }) => (added.some(({ octets }) => isBad(octets)) ? refuse(488) : { status: 200 });
    member.subscribe();
    await becomes(rekeys[0]!, "acknowledged");
    await becomes(rekeys[1]!, "refused");
    expect(member.heard.slice(0, 3).map(({ added }) => added.length)).toEqual([2, 1, 1]);
    // The next NOTIFY does not have the refused message in it.
    const { id } = await admin().rekey(ADMIN, GROUP);
    await becomes(id, "acknowledged");
    expect(member.last.added.some(({ octets }) => isBad(octets))).toBe(false);
  });

  it("is taken back when the member subscribes anew and accepts the message then", async () => {
    const rekey = await group(1);
    const member = await setup.member(0);
    member.reply = () => refuse(488);
    member.subscribe();
    await becomes(rekey, "refused");
    member.reply = OK;
    member.subscription!.refresh();
    await becomes(rekey, "acknowledged");
  });
});

describe("temporary failures of a delivery", () => {
  it.each([500, 503])(
    "by %i are retried, ever later, a limited number of times, and when the member comes again",
    async (status) => {
      const member = await setup.member(0);
      const rekey = await group(1);
      const times: number[] = [];
      member.reply = ({ added }) => {
        if (added.length > 0) times.push(setup.clock.now());
        return { status };
      };
      member.subscribe();
      await becomes(rekey, "unreachable");
      expect((await setup.deliveries(rekey))[0]).toMatchObject({ status });
      const waits = times.slice(1).map((time, i) => time - times[i]!);
      expect(times.length).toBeGreaterThanOrEqual(TRIES);
      // At least half of one, two and four seconds, whatever else brought the message along meanwhile.
      expect(waits.reduce((sum, wait) => sum + wait, 0)).toBeGreaterThanOrEqual(3500);
      const sent = times.length;
      await setup.pass(60_000);
      expect(times.length).toBe(sent);
      member.reply = OK;
      member.subscription!.refresh();
      await becomes(rekey, "acknowledged");
    },
  );

  it("are not retried earlier by a NOTIFY for another reason with the same answer", async () => {
    const member = await setup.member(0);
    const rekey = await group(1);
    member.reply = () => ({ status: 500 });
    member.subscribe();
    const attempts = async () => (await setup.deliveries(rekey))[0]!.attempts;
    await setup.until(async () => (await attempts()) === TRIES - 1);
    await setup.pass(100);
    const sent = member.heard.length;
    await admin().changeGroup(ADMIN, GROUP, { displayName: "Fire brigade" });
    await setup.until(() => member.heard.length > sent);
    // The third wait is two seconds at least; the first one is one at most.
    await setup.pass(1500);
    expect(await attempts()).toBe(TRIES - 1);
    await becomes(rekey, "unreachable");
  });

  it("by 481 end the subscription, and the message waits for another", async () => {
    await group(1);
    const member = await subscribed(0);
    await setup.pass(1000);
    member.reply = () => ({ status: 481 });
    const { id } = await admin().rekey(ADMIN, GROUP);
    await setup.until(() => setup.gms.delivery.subscriptions === 0);
    expect(await setup.states(id)).toEqual(["sealed"]);
    member.reply = OK;
    member.subscribe();
    await becomes(id, "acknowledged");
  });

  it("by no answer end the subscription, long after the others had their messages", async () => {
    await group(8);
    const members: Member[] = [];
    for (let i = 0; i < 8; i++) members.push(await subscribed(i));
    await setup.pass(1000);
    // More of them than NOTIFYs may be under way.
    for (const member of members.slice(0, 6)) member.reply = SILENT;
    const began = setup.clock.now();
    const { id } = await admin().rekey(ADMIN, GROUP);
    await setup.until(async () =>
      (await setup.states(id)).slice(6).every((state) => state === "acknowledged"),
    );
    expect(setup.clock.now() - began).toBeLessThan(5000);
    await setup.until(() => setup.gms.delivery.subscriptions === 2);
    expect((await setup.deliveries(id))[0]).toMatchObject({ state: "sealed", status: 408 });
    expect(setup.gms.notified.filter((result) => result === "timeout")).toHaveLength(6);
    await becomes(id, ...Array(6).fill("unreachable"), "acknowledged", "acknowledged");
    expect((await setup.world.store.rekey(id))?.state).toBe("done");
    members[0]!.reply = OK;
    members[0]!.subscribe();
    await setup.until(async () => (await setup.states(id))[0] === "acknowledged");
  });

  it("of a member who cannot be found run out of time, and the messages wait for the member", async () => {
    await group(1);
    const member = await subscribed(0);
    await setup.pass(1000);
    await member.close();
    const { id } = await admin().rekey(ADMIN, GROUP);
    await setup.until(() => setup.gms.delivery.subscriptions === 0);
    await becomes(id, "unreachable");
    const again = await setup.member(0);
    again.subscribe();
    await becomes(id, "acknowledged");
  });

  it("of the database do not lose outcomes", async () => {
    await group(1);
    await subscribed(0);
    await setup.pass(1000);
    const { store } = setup.world;
    const record = store.record.bind(store);
    let failures = 0;
    store.record = async (...args) => {
      if (failures++ < 3) throw new Error("no database");
      return record(...args);
    };
    const { id } = await admin().rekey(ADMIN, GROUP);
    await becomes(id, "acknowledged");
    expect(failures).toBeGreaterThan(3);
  });
});

it("a rekey that overtakes another one leaves nothing of it to be sent", async () => {
  await group(1);
  const member = await subscribed(0);
  await setup.pass(1000);
  member.reply = () => ({ status: 503 });
  const first = await admin().rekey(ADMIN, GROUP);
  await setup.pass(3000);
  const second = await admin().rekey(ADMIN, GROUP);
  member.reply = OK;
  await becomes(second.id, "acknowledged");
  expect(await setup.states(first.id)).toEqual(["superseded"]);
  expect(member.last.added).toHaveLength(1);
  const now = await setup.world.store.gktpOf(memberUri(0));
  expect(now.map(({ rekey }) => rekey)).toEqual([second.id]);
});
