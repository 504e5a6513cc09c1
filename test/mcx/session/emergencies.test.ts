/** Emergency calls that the MCX server keeps for operators: one for each call for help, in bounded memory. */
import { describe, expect, it } from "vitest";
import type { EmergencyState } from "../../../roles/mcx/admin/metrics.ts";
import { Emergencies } from "../../../roles/mcx/session/emergencies.ts";
import { ALICE, ALL, BOB, Ring } from "../../client/calls/members.ts";
import { gmkOf } from "../../media/packets.ts";
import { NOW } from "../../support/names.ts";
import { GMK_ID, world } from "./at-server.ts";

const FIRE = "sip:fire@home.example";
const MINUTE = 60_000;

function kept() {
  const time = { now: NOW };
  const emergencies = new Emergencies(() => time.now);
  const told: EmergencyState[] = [];
  const off = emergencies.on((one) => told.push(one));
  return { time, emergencies, told, off };
}

describe("emergency calls", () => {
  it("are reported once for each member and group, however often the member presses", () => {
    const { time, emergencies, told } = kept();
    emergencies.called(FIRE, ALICE);
    time.now += MINUTE - 1;
    emergencies.called(FIRE, ALICE);
    time.now += MINUTE - 1;
    emergencies.called(FIRE, ALICE);
    emergencies.called(FIRE, BOB);
    expect(told.map(({ id, user }) => `${id} ${user}`)).toEqual([`1 ${ALICE}`, `2 ${BOB}`]);
    expect(emergencies.list()).toEqual(told);
  });

  it("begin anew after a minute of silence", () => {
    const { time, emergencies, told } = kept();
    emergencies.called(FIRE, ALICE);
    time.now += MINUTE;
    emergencies.called(FIRE, ALICE);
    expect(told.map(({ id }) => id)).toEqual([1, 2]);
  });

  it("are kept up to the latest hundred", () => {
    const { time, emergencies, off, told } = kept();
    off();
    for (let n = 0; n < 150; n++) {
      time.now += MINUTE;
      emergencies.called(FIRE, ALICE);
    }
    expect(emergencies.list().map(({ id }) => id)).toEqual(Array.from({ length: 100 }, (_, n) => n + 51));
    expect(told).toEqual([]);
  });

  it("come from floor requests with the indication, also of queued members", async () => {
    const called: string[] = [];
    const { net, session, enter } = world("emergency", { onEmergency: (user) => called.push(user) });
    const [alice, bob] = gmkOf(GMK_ID, ALL).map((key, i) => enter(ALL[i]!, new Ring(key)));
    alice!.call.request(0, { isEmergency: true });
    await net.clock.pass(50);
    bob!.call.request(0, { isEmergency: true });
    await net.clock.pass(50);
    expect(called).toEqual([ALICE, BOB]);
    expect(session.state.emergencies).toEqual([ALICE, BOB]);
    alice!.call.release();
    await net.clock.pass(50);
    expect(called).toEqual([ALICE, BOB]);
    bob!.call.release();
    await net.clock.pass(50);
    expect(session.state.emergencies).toEqual([]);
    await session.close();
  });
});
