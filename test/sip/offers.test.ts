/** Offers that change a session (RFC 3261 14, RFC 3311), also where datagrams are lost. */
import { describe, expect, it } from "vitest";
import {
  type InviteOptions,
  type OnOffer,
  SESSION_TIMER,
  type SessionEnd,
  type SipSession,
} from "../../transport/sip/index.ts";
import { World } from "./support/endpoints.ts";

const SDP = "application/sdp";
const text = (value: string) => new TextEncoder().encode(value);
const textOf = (octets: Uint8Array) => new TextDecoder().decode(octets);
const described = (body: string) => ({ contentType: SDP, body: text(body) });

/** A session of a caller who answers offers by `onOffer`; the callee is the side that offers. */
async function called(caller: Partial<InviteOptions>, hasTimer = true) {
  const world = await new World("UDP").start();
  const ends: SessionEnd[] = [];
  let callee: SipSession | undefined;
  const early: Promise<boolean>[] = [];
  const timer = hasTimer ? { timer: SESSION_TIMER } : {};
  world.server.onInvite(() => ({
    status: 200,
    ...described("answer"),
    ...timer,
    accepted: (session) => {
      callee = session;
      early.push(session.offer(described("early")));
    },
    onEnd: (end) => ends.push(end),
  }));
  const inviting = world.client.invite({
    uri: "sip:gms@10.0.0.2",
    from: "sip:alice@example.com",
    ...described("offer"),
    ...timer,
    onEnd: (end) => ends.push(end),
    ...caller,
  });
  await world.clock.pass(100);
  const { session } = await inviting;
  return { world, ends, caller: session!, callee: callee!, early: early[0]! };
}

/** Takes every offer and tells of it. */
function taker() {
  const offers: string[] = [];
  const onOffer: OnOffer = (body) => {
    offers.push(textOf(body));
    return described(`answer to ${textOf(body)}`);
  };
  return { offers, onOffer };
}

describe("an offer within a SIP session", () => {
  it("goes by UPDATE where the peer takes that, after the ACK, and is answered", async () => {
    const { offers, onOffer } = taker();
    const { world, callee, early } = await called({ onOffer });
    const changed = callee.offer(described("changed"));
    await world.clock.pass(100);
    expect([await early, await changed, offers]).toEqual([true, true, ["early", "changed"]]);
    expect([world.count("UPDATE"), world.count("INVITE")]).toEqual([2, 1]);
    const said = world.lines.filter((line) => line.startsWith("ACK") || line.startsWith("UPDATE"));
    expect(said[0]).toMatch(/^ACK/);
    const answers = world.network.seen.map((seen) => seen.text).filter((seen) => seen.includes("answer to "));
    expect(answers.map((answer) => answer.split("\r\n\r\n")[1])).toEqual([
      "answer to early",
      "answer to changed",
    ]);
  });

  it("leaves the refreshes to the side that made them, with the descriptions that hold now", async () => {
    const { offers, onOffer } = taker();
    const { world, ends, caller, callee } = await called({ onOffer });
    await world.clock.pass(100);
    const before = world.network.seen.length;
    await world.clock.pass(3_600_000);
    const updates = world.network.seen.slice(before).filter((seen) => seen.text.startsWith("UPDATE"));
    expect(updates.length).toBeGreaterThan(70);
    expect(updates.every((seen) => seen.text.includes("refresher=uac"))).toBe(true);
    expect(updates.every((seen) => seen.text.includes("<sip:alice@"))).toBe(true);
    expect(new Set(updates.map((seen) => /^From: .*$/m.exec(seen.text)![0])).size).toBe(1);
    expect([ends, caller.open, callee.open, offers]).toEqual([[], true, true, ["early"]]);
  });

  it("goes by INVITE where the peer did not say that it takes UPDATE", async () => {
    const { offers, onOffer } = taker();
    const { world, callee, early } = await called({ onOffer }, false);
    await world.clock.pass(100);
    expect([await early, offers]).toEqual([true, ["early"]]);
    expect([world.count("UPDATE"), world.count("INVITE"), world.count("ACK")]).toEqual([0, 2, 2]);
    await world.clock.pass(60_000);
    expect(callee.open).toBe(true);
    expect(world.count("INVITE")).toBe(2);
  });

  it("is refused with 488 by a peer that answers none, and the session goes on", async () => {
    const { world, ends, callee, early } = await called({});
    await world.clock.pass(100);
    expect([await early, world.count("488")]).toEqual([false, 1]);
    await world.clock.pass(600_000);
    expect([ends, callee.open]).toEqual([[], true]);
  });

  it("is not taken by a peer that has ended the session or does not answer any more", async () => {
    const { offers, onOffer } = taker();
    const { world, caller, callee } = await called({ onOffer });
    await world.clock.pass(100);
    world.network.frozen.add("10.0.0.1");
    const unheard = callee.offer(described("unheard"));
    await world.clock.pass(40_000);
    expect(await unheard).toBe(false);
    world.network.frozen.clear();
    const bye = caller.bye();
    await world.clock.pass(100);
    await bye;
    expect([await callee.offer(described("late")), offers]).toEqual([false, ["early"]]);
  });
});
