/** Calls that the MCX server keeps for operators: who was in each, and who talked for how long, in bounded memory. */
import { describe, expect, it } from "vitest";
import type { CallRecord } from "../../../roles/mcx/admin/metrics.ts";
import { CallLog } from "../../../roles/mcx/session/call-log.ts";
import { ALICE, ALL, BOB, Ring } from "../../client/calls/members.ts";
import { gmkOf } from "../../media/packets.ts";
import { NOW } from "../../support/names.ts";
import { GMK_ID, world } from "./at-server.ts";

const FIRE = "sip:fire@home.example";
const SECOND = 1000;

function kept() {
  const time = { now: NOW };
  const log = new CallLog(() => time.now);
  const told: CallRecord[] = [];
  const off = log.on((one) => told.push(one));
  return { time, log, told, off };
}

describe("the log of calls", () => {
  it("has when a call was, how many were in it at a time, and who talked for how long", () => {
    const { time, log } = kept();
    const call = log.begin(FIRE);
    call.attended(2);
    call.attended(3);
    call.attended(1);
    call.talking([ALICE]);
    time.now += 4 * SECOND;
    call.talking([ALICE, BOB]);
    time.now += SECOND;
    call.talking([BOB]);
    time.now += SECOND;
    call.talking([ALICE]);
    time.now += 3 * SECOND;
    call.talking([]);
    time.now += SECOND;
    call.end();
    expect(log.list()).toEqual([
      {
        ...{ id: 1, groupUri: FIRE, from: NOW, to: NOW + 10 * SECOND, participants: 3 },
        talkers: [
          { user: BOB, talks: 1, ms: 2 * SECOND },
          { user: ALICE, talks: 2, ms: 8 * SECOND },
        ],
        last: { user: ALICE, at: NOW + 6 * SECOND, ms: 3 * SECOND },
      },
    ]);
  });

  it("has a call while it goes on, and tells each change until nobody wants to know", () => {
    const { time, log, told, off } = kept();
    const call = log.begin(FIRE);
    call.attended(2);
    call.talking([ALICE]);
    time.now += SECOND;
    call.talking([]);
    expect(log.list()[0]).not.toHaveProperty("to");
    expect(told.map(({ participants, last }) => [participants, last?.user])).toEqual([
      [2, undefined],
      [2, ALICE],
    ]);
    off();
    call.end();
    expect(told).toHaveLength(2);
    expect(log.list()[0]).toHaveProperty("to", time.now);
  });

  it("ends talks with the call, and takes no time off a talk when the clock is set back", () => {
    const { time, log } = kept();
    const call = log.begin(FIRE);
    call.talking([ALICE]);
    time.now -= 60 * SECOND;
    call.end();
    const [over] = log.list();
    expect(over!.last).toEqual({ user: ALICE, at: NOW, ms: 0 });
    call.talking([BOB]);
    call.talking([]);
    expect(log.list()).toEqual([over]);
  });

  it("keeps the latest thousand calls, and lets a call that was driven out stay out", () => {
    const { log, told } = kept();
    const first = log.begin(FIRE);
    for (let n = 0; n < 1200; n++) log.begin(FIRE).end();
    expect(log.list().map(({ id }) => id)).toEqual(Array.from({ length: 1000 }, (_, n) => n + 202));
    told.length = 0;
    first.attended(2);
    first.end();
    expect(told).toEqual([]);
    expect(log.list()).toHaveLength(1000);
  });

  it("keeps the fifty who talked last in a call", () => {
    const { log } = kept();
    const call = log.begin(FIRE);
    const talk = (n: number) => {
      call.talking([`sip:${n}@home.example`]);
      call.talking([]);
    };
    for (let n = 0; n < 60; n++) talk(n);
    talk(20);
    expect(log.list()[0]!.talkers.map(({ user }) => user)).toEqual(
      [...Array.from({ length: 50 }, (_, n) => n + 10).filter((n) => n !== 20), 20].map(
        (n) => `sip:${n}@home.example`,
      ),
    );
  });
});

describe("a call at the server", () => {
  it("says who has the floor, once for each change", async () => {
    const told: (readonly string[])[] = [];
    const { net, session, enter } = world("talkers", { onTalkers: (users) => told.push(users) });
    const [alice, bob] = gmkOf(GMK_ID, ALL).map((key, i) => enter(ALL[i]!, new Ring(key)));
    for (const { call } of [alice!, bob!]) {
      call.request();
      await net.clock.pass(500);
    }
    // Bob waits in the queue.
    expect(told).toEqual([[ALICE]]);
    alice!.call.release();
    await net.clock.pass(50);
    session.leave(BOB);
    expect(told).toEqual([[ALICE], [BOB], []]);
    await session.close();
  });
});
