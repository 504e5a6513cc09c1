/** Sessions: INVITE, the ACK of its 2xx, BYE (RFC 3261 13 to 15), also where datagrams are lost. */
import { describe, expect, it } from "vitest";
import { defined } from "../../base/defined.ts";
import type { InviteAnswer, SessionEnd, SipSession } from "../../transport/sip/index.ts";
import { World } from "./support/endpoints.ts";

const text = (value: string) => new TextEncoder().encode(value);

function serve(world: World, answer: InviteAnswer = { status: 200 }) {
  const sessions: SipSession[] = [];
  const ends: SessionEnd[] = [];
  const bodies: string[] = [];
  world.server.onInvite((incoming) => {
    bodies.push(new TextDecoder().decode(incoming.request.body));
    return {
      contentType: "application/sdp",
      body: text("answer"),
      ...answer,
      accepted: (session) => sessions.push(session),
      onEnd: (end) => ends.push(end),
    };
  });
  return { sessions, ends, bodies };
}

function invite(world: World, onEnd?: (end: SessionEnd) => void) {
  return world.client.invite({
    uri: "sip:gms@10.0.0.2",
    from: "sip:alice@example.com",
    contentType: "application/sdp",
    body: text("offer"),
    ...defined({ onEnd }),
  });
}

describe.each(["UDP", "TCP", "nat"] as const)("a SIP session over %s", (kind) => {
  it("begins with a 2xx and its ACK, and ends with a BYE of the caller", async () => {
    const world = await new World(kind).start();
    const { sessions, ends, bodies } = serve(world);
    const called = invite(world);
    await world.clock.pass(100);
    const { response, session } = await called;
    expect([response.status, new TextDecoder().decode(response.body), bodies]).toEqual([
      200,
      "answer",
      ["offer"],
    ]);
    await world.clock.pass(40_000);
    // The ACK has come, so nothing was sent again.
    expect([world.count("200"), world.count("ACK")]).toEqual([1, 1]);
    expect(sessions.map(({ open }) => open)).toEqual([true]);
    const bye = session!.bye();
    await world.clock.pass(100);
    await bye;
    expect([ends, sessions[0]!.open, session!.open]).toEqual([["bye"], false, false]);
    await session!.bye();
    expect(world.count("BYE")).toBe(1);
  });

  it.each([
    ["", undefined, "bye"],
    [", which says that another server goes on (RFC 3326)", "moved", "moved"],
  ] as const)("ends with a BYE of the callee%s", async (_, why, end) => {
    const world = await new World(kind).start();
    const { sessions, ends } = serve(world);
    const heard: SessionEnd[] = [];
    const called = invite(world, (how) => heard.push(how));
    await world.clock.pass(100);
    const { session } = await called;
    void sessions[0]!.bye(why);
    await world.clock.pass(100);
    expect([heard, ends, session!.open]).toEqual([[end], [], false]);
  });
});

describe("a SIP session", () => {
  it("does not exist when it is refused", async () => {
    const world = await new World().start();
    const { sessions } = serve(world, { status: 403 });
    const called = invite(world);
    await world.clock.pass(1000);
    expect(await called).toMatchObject({ response: { status: 403 }, session: undefined });
    expect(sessions).toEqual([]);
    await world.clock.pass(60_000);
    expect([world.client.transactions, world.server.transactions]).toEqual([0, 0]);
  });

  it("has its lost 2xx and ACK sent again", async () => {
    const world = await new World().start();
    const { sessions, ends } = serve(world);
    const called = invite(world);
    // The first 2xx and the first ACK are lost.
    const lost = new Set(["200 OK", "ACK"]);
    world.network.weather = {
      copies: () => {
        const line = world.lines.at(-1)!;
        const what = line.startsWith("ACK") ? "ACK" : line.trim();
        return lost.delete(what) ? [] : [1];
      },
    };
    await world.clock.pass(10_000);
    const { session } = await called;
    expect(session!.open && sessions[0]!.open).toBe(true);
    expect(world.count("ACK")).toBe(2);
    const twice = world.count("200");
    await world.clock.pass(60_000);
    expect([world.count("200"), ends]).toEqual([twice, []]);
  });

  it("ends when no ACK comes", async () => {
    const world = await new World().start();
    const { sessions, ends } = serve(world);
    const called = invite(world).catch(() => undefined);
    world.network.weather = { copies: () => (world.lines.at(-1)!.startsWith("ACK") ? [] : [1]) };
    await world.clock.pass(40_000);
    await called;
    expect(ends).toEqual(["lost"]);
    expect(sessions[0]!.open).toBe(false);
  });

  it("is not renegotiated, and supports no other methods", async () => {
    const world = await new World().start();
    serve(world);
    const called = invite(world);
    await world.clock.pass(100);
    await called;
    // Another kind of peer would send these in the dialog.
    const { text: ack } = world.network.seen.find(({ text: line }) => line.startsWith("ACK"))!;
    const inDialog = (method: string, number: number) =>
      ack
        .replace(/^ACK/, method)
        .replace(/CSeq: 1 ACK/, `CSeq: ${number} ${method}`)
        .replace(/branch=[^;\r]+/, `branch=z9hG4bK${method}`);
    const statuses = () =>
      world.lines.filter((line) => /^[1-6]\d\d /.test(line)).map((line) => line.slice(0, 3));
    const before = statuses().length;
    const flow = await world.network
      .udp({ host: "10.0.0.1", port: 5060 })
      .connect({ host: "10.0.0.2", port: 5060 });
    const other = (request: string) =>
      request.replace(/Content-Length: 0\r\n\r\n/, "Content-Length: 5\r\n\r\nother");
    for (const [i, method] of ["INVITE", "INFO"].entries()) {
      await flow.send(text(other(inDialog(method, 2 + i))));
      await world.clock.pass(100);
    }
    expect(statuses().slice(before, before + 1)).toEqual(["488"]);
    expect(statuses()).toContain("405");
    // A number that has been there is out of order.
    await flow.send(text(inDialog("MESSAGE", 2)));
    await world.clock.pass(100);
    expect(statuses()).toContain("500");
  });
});
