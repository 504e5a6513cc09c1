/** Requests between two endpoints on virtual time (RFC 3261 17). */
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { utf8 } from "../../base/bytes.ts";
import { type Answer, CALL_ID, createSipEndpoint, type SipEndpoint, VIA } from "../../transport/sip/index.ts";
import { settle, VirtualClock } from "../support/clock.ts";
import { Network } from "./support/network.ts";

let seed = 0;
/** Unlike in every call, which is all that tags and branches need here. */
function random(length: number): Uint8Array {
  seed++;
  return Uint8Array.from({ length }, (_, i) => (seed >> (8 * (i % 4))) & 255);
}

let clock: VirtualClock;
let network: Network;
let alice: SipEndpoint;
let bob: SipEndpoint;
const ALICE = { host: "10.0.0.1", port: 5060 };
const BOB = { host: "10.0.0.2", port: 5060 };

function endpoint(address: { host: string; port: number }, streams = false): SipEndpoint {
  const transports = [network.udp(address), ...(streams ? [network.stream("TCP", address)] : [])];
  return createSipEndpoint({ transports, clock, random });
}

async function start(streams = false): Promise<void> {
  alice = endpoint(ALICE, streams);
  bob = endpoint(BOB, streams);
  await alice.start();
  await bob.start();
}

beforeEach(async () => {
  clock = new VirtualClock();
  network = new Network(clock);
  await start();
});

function ask(method = "MESSAGE", body = "hello", uri = "sip:bob@10.0.0.2") {
  const outcome: { status?: number; code?: string; tag?: string | undefined } = {};
  alice
    .request({ method, uri, from: "sip:alice@example.com", contentType: "text/plain", body: utf8(body) })
    .then(
      (response) => {
        outcome.status = response.status;
      },
      (error) => {
        outcome.code = error.code;
      },
    );
  return outcome;
}

const LONG = 200_000;

describe("requests other than INVITE", () => {
  it("are answered", async () => {
    bob.onRequest("MESSAGE", ({ request }) => ({ status: request.body.length === 5 ? 202 : 400 }));
    const outcome = ask();
    await clock.pass(10);
    expect(outcome).toEqual({ status: 202 });
    expect(network.lines).toEqual(["MESSAGE sip:bob@10.0.0.2 SIP/2.0", "SIP/2.0 202 Accepted"]);
    await clock.pass(LONG);
    expect([alice.transactions, bob.transactions, clock.pending]).toEqual([0, 0, 0]);
  });

  it("are sent again at 0.5, 1.5, 3.5, 7.5 and then every 4 s, and fail after 32 s", async () => {
    network.weather = { copies: () => [] };
    const begun = clock.now();
    const outcome = ask();
    const times: number[] = [];
    for (let i = 0; i < 400; i++) {
      const before = network.seen.length;
      await clock.pass(100);
      if (network.seen.length > before) times.push(clock.now() - begun);
    }
    expect(times).toEqual([100, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500]);
    expect(outcome).toEqual({ code: "SIP_TIMEOUT" });
    expect(alice.counters.timeouts).toBe(1);
  });

  it("are handled once and get the same answer, whatever is lost, doubled or late", async () => {
    const sky = fc.array(fc.array(fc.nat(3000), { maxLength: 3 }), { minLength: 6, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(sky, async (fates) => {
        clock = new VirtualClock();
        network = new Network(clock);
        await start();
        let handled = 0;
        bob.onRequest("MESSAGE", (): Answer => {
          handled++;
          return { status: 200 };
        });
        const script = [...fates];
        // Messages that the script does not mention arrive, so that there is an answer in the end.
        network.weather = { copies: () => script.shift() ?? [1] };
        const outcome = ask();
        await clock.pass(LONG);
        expect(handled).toBeLessThanOrEqual(1);
        if (outcome.code === undefined) expect([outcome.status, handled]).toEqual([200, 1]);
        const answers = network.seen.filter(({ from }) => from === "10.0.0.2:5060").map(({ text }) => text);
        expect(new Set(answers).size).toBeLessThanOrEqual(1);
        expect([alice.transactions, bob.transactions, clock.pending]).toEqual([0, 0, 0]);
      }),
      { numRuns: 60 },
    );
  });

  it("that arrive on two paths are answered 482 on the second (8.2.2.2)", async () => {
    let handled = 0;
    bob.onRequest("MESSAGE", () => {
      handled++;
      return new Promise<Answer>(() => undefined);
    });
    ask();
    await clock.pass(5);
    const other = network.seen[0]!.text.replace(/branch=\w+/, "branch=z9hG4bKother");
    const eve = network.udp({ host: "10.0.0.9", port: 5060 });
    const heard: string[] = [];
    await eve.start({
      message: (bytes) => heard.push(new TextDecoder().decode(bytes)),
      closed: () => undefined,
    });
    await (await eve.connect(BOB)).send(utf8(other));
    await clock.pass(10);
    expect(handled).toBe(1);
    expect(heard[0]).toMatch(/^SIP\/2.0 482 Loop Detected/);
  });
});

describe("an INVITE transaction", () => {
  it("repeats the INVITE at doubling intervals, and fails after 32 s", async () => {
    network.weather = { copies: () => [] };
    const outcome = ask("INVITE");
    await clock.pass(LONG);
    expect(outcome).toEqual({ code: "SIP_TIMEOUT" });
    expect(network.lines).toHaveLength(7);
  });

  it("gets 100 after 200 ms; a refusal is repeated until the ACK, which is repeated for it", async () => {
    bob.onRequest(
      "INVITE",
      () => new Promise((resolve) => clock.after(1000, () => resolve({ status: 486 }))),
    );
    const outcome = ask("INVITE");
    await clock.pass(900);
    expect(network.lines.filter((line) => line.includes(" 100 "))).toHaveLength(1);
    // The first ACK is lost.
    let acks = 0;
    network.weather = {
      copies: () => (network.lines.at(-1)!.startsWith("ACK") && acks++ === 0 ? [] : [1]),
    };
    await clock.pass(LONG);
    expect(outcome).toEqual({ status: 486 });
    expect(network.lines.filter((line) => line.includes(" 486 "))).toHaveLength(2);
    expect(network.lines.filter((line) => line.startsWith("ACK"))).toHaveLength(2);
    expect([alice.transactions, bob.transactions, clock.pending]).toEqual([0, 0, 0]);
  });

  it("is ended by CANCEL with 487 (9.2)", async () => {
    bob.onRequest("INVITE", () => new Promise<Answer>(() => undefined));
    const outcome = ask("INVITE");
    await clock.pass(5);
    const cancel = network.seen[0]!.text.replace(/INVITE/g, "CANCEL");
    await (await network.udp(ALICE).connect(BOB)).send(utf8(cancel));
    await clock.pass(20);
    expect(outcome).toEqual({ status: 487 });
    expect(network.lines).toContain("SIP/2.0 200 OK");
  });
});

describe("SIP responses", () => {
  it("go to the source of the request, not to its Via (RFC 3581)", async () => {
    bob.onRequest("MESSAGE", ({ request }) => {
      const params = request.headers.need(VIA).params;
      return { status: params.get("rport") === "5060" && params.get("received") === "10.0.0.1" ? 200 : 500 };
    });
    const outcome = ask();
    await clock.pass(10);
    expect(outcome).toEqual({ status: 200 });
  });

  it("to requests of others are dropped (18.1.2)", async () => {
    ask();
    await settle();
    const { text } = network.seen[0]!;
    const head = text.split("\r\n").filter((line) => /^(Via|From|To|Call-ID|CSeq)/.test(line));
    const forged = ["SIP/2.0 200 OK", ...head, "Content-Length: 0", "", ""].join("\r\n");
    const eve = await network.udp({ host: "10.0.0.9", port: 5060 }).connect(ALICE);
    await eve.send(utf8(forged.replace(/branch=\w+/, "branch=z9hG4bKguess")));
    await eve.send(utf8(forged.replace("10.0.0.1", "10.0.0.7")));
    await clock.pass(5);
    expect(alice.counters.strayResponses).toBe(2);
  });
});

describe("a request that cannot be served is answered with", () => {
  const send = async (text: string) => {
    const heard: string[] = [];
    const eve = network.udp({ host: "10.0.0.9", port: 5060 });
    await eve.start({
      message: (bytes) => heard.push(new TextDecoder().decode(bytes)),
      closed: () => undefined,
    });
    await (await eve.connect(BOB)).send(utf8(text));
    await clock.pass(5);
    return heard[0]?.split("\r\n")[0];
  };
  const message = (method: string, uri: string, ...lines: string[]) =>
    [
      `${method} ${uri} SIP/2.0`,
      "Via: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKx",
      "From: <sip:e@x.y>;tag=1",
      "To: <sip:bob@x.y>",
      "Call-ID: 1",
      `CSeq: 1 ${method}`,
      ...lines,
      "",
      "",
    ].join("\r\n");

  it.each([
    ["405", message("PUBLISH", "sip:b@10.0.0.2")],
    ["416", message("MESSAGE", "isbn:123")],
    ["420", message("MESSAGE", "sip:b@10.0.0.2", "Require: gruu")],
    ["415", message("MESSAGE", "sip:b@10.0.0.2", "Content-Encoding: gzip", "l: 1").concat("x")],
    ["481", message("NOTIFY", "sip:b@10.0.0.2")],
    ["481", message("MESSAGE", "sip:b@10.0.0.2").replace("To: <sip:bob@x.y>", "To: <sip:bob@x.y>;tag=9")],
    ["481", message("CANCEL", "sip:b@10.0.0.2")],
    ["400", message("MESSAGE", "sip:b@10.0.0.2", "Route: nothing")],
    ["505", message("MESSAGE", "sip:b@10.0.0.2").replace("SIP/2.0", "SIP/3.0")],
    ["513", message("MESSAGE", "sip:b@10.0.0.2", ...Array.from({ length: 201 }, () => "X: y"))],
    ["200", message("OPTIONS", "sip:b@10.0.0.2")],
  ])("%s", async (status, text) => {
    expect(await send(text)).toContain(` ${status} `);
  });

  it("500 when the handler throws", async () => {
    bob.onRequest("MESSAGE", () => {
      throw new Error("no");
    });
    expect(await send(message("MESSAGE", "sip:b@10.0.0.2"))).toContain(" 500 ");
  });

  it("nothing for a head above the limit, which is not read", async () => {
    expect(await send(message("MESSAGE", "sip:b@10.0.0.2", `X: ${"y".repeat(40_000)}`))).toBeUndefined();
    expect(bob.counters.malformed).toBe(1);
  });

  it("nothing for a malformed response or ACK", async () => {
    expect(await send("SIP/2.0 200 OK\r\nVia: x\r\n\r\n")).toBeUndefined();
    expect(await send(message("ACK", "sip:b@10.0.0.2", "Route: x"))).toBeUndefined();
    expect(bob.counters.malformed).toBe(2);
  });
});

describe("large SIP requests", () => {
  beforeEach(async () => {
    clock = new VirtualClock();
    network = new Network(clock);
    await start(true);
    bob.onRequest("MESSAGE", ({ flow }) => ({ status: 200, reason: flow.transport }));
  });

  it("go over TCP, small ones over UDP, on one connection (18.1.1)", async () => {
    for (const size of [500, 1300, 5000]) {
      const outcome = ask("MESSAGE", "x".repeat(size));
      await clock.pass(20);
      expect(outcome.status).toBe(200);
    }
    const answers = network.seen.filter(({ text }) => text.startsWith("SIP/2.0 200"));
    expect(answers.map(({ text }) => text.slice(12, 15))).toEqual(["UDP", "TCP", "TCP"]);
    expect(new Set(answers.slice(1).map(({ to }) => to)).size).toBe(1);
    expect(network.seen.find(({ text }) => text.length > 1300)?.text).toContain(
      "Via: SIP/2.0/TCP 10.0.0.1:5060",
    );
  });

  it("go over UDP after all where there is no TCP", async () => {
    const carol = endpoint({ host: "10.0.0.3", port: 5060 });
    await carol.start();
    carol.onRequest("MESSAGE", ({ request }) => ({ status: request.headers.need(CALL_ID) ? 200 : 500 }));
    const outcome = ask("MESSAGE", "x".repeat(5000), "sip:carol@10.0.0.3");
    await clock.pass(20);
    expect(outcome).toEqual({ status: 200 });
  });
});
