/** The bound for what nobody has vouched for: who makes room, and what is told of it. */
import { describe, expect, it } from "vitest";
import { createAdmission } from "../../roles/server/admission.ts";
import { noLog, type ServerLog } from "../../roles/server/log.ts";
import { RefusedLog, sipLog } from "../../roles/server/refused-log.ts";
import { Admission, type AdmissionLimits, type DropReason } from "../../transport/admission/admission.ts";
import { VirtualClock } from "../support/clock.ts";

const LIMITS: AdmissionLimits = { octets: 1000, perAddress: 3, connections: 20 };

function world(limits: Partial<AdmissionLimits> = {}) {
  const admission = new Admission({ ...LIMITS, ...limits });
  const dropped: [name: string, reason: DropReason][] = [];
  const open = (name: string, { address = name, cost = 100, shared = false } = {}) =>
    admission.open({ address, cost, shared, drop: (reason) => dropped.push([name, reason]) });
  return { admission, dropped, open };
}

describe("connections without proof", () => {
  it("make room when their octets are used up, the one that has waited longest first", () => {
    const { admission, dropped, open } = world();
    for (let i = 0; i < 8; i++) open(`c${i}`);
    expect(dropped).toEqual([]);
    open("c8");
    expect(dropped).toEqual([["c0", "memory"]]);
    expect(admission.figures).toMatchObject({ waitingConnections: 8, waitingOctets: 800, connections: 8 });
  });

  it("count what they hold of an unfinished message", () => {
    const { admission, dropped, open } = world();
    const [first, second] = ["a", "b"].map((name) => open(name, { address: "192.0.2.1" }));
    second!.hold(600);
    expect(dropped).toEqual([]);
    first!.hold(100);
    expect(dropped).toEqual([["a", "memory"]]);
    second!.hold(0);
    expect(admission.figures.waitingOctets).toBe(100);
    second!.close();
    expect(admission.figures).toMatchObject({ waitingOctets: 0, connections: 0, waitingConnections: 0 });
  });

  it("end themselves when all others have proof", () => {
    const { dropped, open } = world();
    open("member").vouch();
    open("attacker").hold(5000);
    expect(dropped).toEqual([["attacker", "memory"]]);
  });

  it("of one address make room for each other, and those of a proxy do not", () => {
    const { dropped, open } = world();
    for (let i = 0; i < 4; i++) open(`a${i}`, { address: "192.0.2.1" });
    expect(dropped).toEqual([["a0", "address"]]);
    for (let i = 0; i < 4; i++) open(`p${i}`, { address: "192.0.2.2", cost: 10, shared: true });
    open("b", { address: "192.0.2.3", cost: 10 });
    expect(dropped).toHaveLength(1);
  });

  it("of an address that holds more than the oldest's address make room themselves", () => {
    const { admission, dropped, open } = world();
    open("honest", { address: "192.0.2.1" });
    for (let i = 0; i < 20; i++) open(`a${i}`, { address: "192.0.2.2", shared: true });
    open("b", { address: "192.0.2.3" }).hold(100);
    expect(dropped).toHaveLength(15);
    expect(dropped.filter(([name]) => !name.startsWith("a"))).toEqual([]);
    expect(admission.figures).toMatchObject({ waitingConnections: 7, waitingOctets: 800 });
    for (const name of ["c", "d", "e", "f"]) open(name);
    expect(dropped.map(([name]) => name).slice(15)).toEqual(["a15", "a16", "a17", "a18"]);
    // That address has only one connection left, so the oldest of all is closed.
    open("g");
    expect(dropped.slice(19)).toEqual([["honest", "memory"]]);
  });

  it("of one /64 of IPv6 count as one address", () => {
    const { dropped, open } = world();
    for (let i = 0; i < 4; i++) open(`a${i}`, { address: `2001:db8:0:1::${i}` });
    expect(dropped).toEqual([["a0", "address"]]);
    open("b", { address: "2001:db8:0:2::1" });
    open("c", { address: "2001:DB8::2:1:2:3:4" });
    expect(dropped).toHaveLength(1);
  });

  it("no longer make room once they get proof, nor count for their address", () => {
    const { admission, dropped, open } = world();
    for (let i = 0; i < 10; i++) open(`m${i}`, { address: "192.0.2.1" }).vouch();
    for (let i = 0; i < 3; i++) open(`a${i}`, { address: "192.0.2.1" });
    expect(dropped).toEqual([]);
    expect(admission.figures).toMatchObject({ connections: 13, waitingConnections: 3 });
  });

  it("make room when there are too many in all, and a new one goes when all others have proof", () => {
    const { dropped, open } = world({ connections: 2 });
    open("a");
    open("m").vouch();
    open("n").vouch();
    expect(dropped).toEqual([["a", "connections"]]);
    open("b");
    expect(dropped[1]).toEqual(["b", "connections"]);
  });
});

describe("requests without proof", () => {
  it("are refused when those under way leave no room", () => {
    const { admission } = world();
    const charges = [admission.requests.take(100), admission.requests.take(100)];
    expect(admission.requests.take(1)).toBeUndefined();
    expect(admission.figures.dropped.get("requests")).toBe(1);
    charges[0]!.release();
    expect(admission.requests.take(50)).toBeDefined();
    expect(admission.figures.requestOctets).toBe(150);
  });

  it("have room at the cost of kept answers, the oldest first", () => {
    const { admission } = world();
    const forgotten: number[] = [];
    for (let i = 0; i < 3; i++) admission.requests.take(60)!.keep(60, () => forgotten.push(i));
    expect(admission.requests.take(100)).toBeDefined();
    expect(forgotten).toEqual([0, 1]);
    expect(admission.figures.requestOctets).toBe(160);
  });
});

function lines(): { log: ServerLog; said: [facts: object, text: string][] } {
  const said: [object, string][] = [];
  return { log: { ...noLog, warn: (facts, text) => said.push([facts, text]) }, said };
}

describe("the admission log", () => {
  it("has a line when a bound is near, and no other before it was far again", () => {
    const { log, said } = lines();
    const limits = { waitingBytes: 1000, waitingPerAddress: 100, connections: 100 };
    const admission = createAdmission(limits, log);
    const open = () => admission.open({ address: "a", cost: 100, drop: () => undefined });
    const all = Array.from({ length: 6 }, open);
    expect([admission.near, said.length]).toEqual([false, 0]);
    all.push(open(), open());
    expect([admission.near, said.length]).toEqual([true, 1]);
    expect(said[0]![0]).toMatchObject({ waitingConnections: 7, waitingOctets: 700 });
    all.pop()!.close();
    open();
    expect(said).toHaveLength(1);
    for (const connection of all) connection.close();
    expect(admission.near).toBe(false);
  });

  it("has the first bad messages of a kind with their source, and a count of the rest a minute later", async () => {
    const { log, said } = lines();
    const clock = new VirtualClock();
    const sip = sipLog(log, new RefusedLog(log, clock));
    for (let i = 0; i < 1000; i++)
      sip("sip-malformed", { code: "SIP_HEADER", transport: "UDP", remote: `10.0.0.${i % 7}` });
    sip("sip-refused", { code: "TIMEOUT", transport: "WS", remote: "10.0.0.9" });
    expect(said).toHaveLength(4);
    expect(said[0]).toEqual([{ reason: "SIP_HEADER", transport: "UDP", source: "10.0.0.0" }, "refused"]);
    expect(said[3]![0]).toEqual({ reason: "TIMEOUT", transport: "WS", source: "10.0.0.9" });
    await clock.pass(60_000);
    expect(said.slice(4)).toEqual([
      [{ reason: "SIP_HEADER", suppressed: 997, sources: 7 }, "refused, more of the same"],
    ]);
    sip("sip-malformed", { code: "SIP_HEADER", transport: "UDP", remote: "10.0.0.1" });
    expect(said).toHaveLength(6);
  });
});
