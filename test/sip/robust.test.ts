/** Tests what peers send that is not quite right, or not what others send (RFC 3261 8.2.2, 8.1.2, 20.5, 21.5.4). */
import { describe, expect, it } from "vitest";
import { utf8 } from "../../base/bytes.ts";
import {
  ALLOW,
  ALLOW_EVENTS,
  nameAddress,
  parseMessage,
  RECORD_ROUTE,
  RETRY_AFTER,
  type SipMessage,
  WARNING,
} from "../../transport/sip/index.ts";
import { random, World } from "./support/endpoints.ts";

const HEAD = [
  "Via: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK1",
  "From: <sip:e@x.y>;tag=1",
  "To: <sip:b@x.y>",
  "Call-ID: 1",
];
const request = (lines: readonly string[], cseq = "1 OPTIONS"): SipMessage =>
  parseMessage(utf8(["OPTIONS sip:x@y.z SIP/2.0", ...HEAD, `CSeq: ${cseq}`, ...lines, "", ""].join("\r\n")));
const response = (lines: readonly string[]): SipMessage =>
  parseMessage(
    utf8(["SIP/2.0 488 Not Acceptable Here", ...HEAD, "CSeq: 1 NOTIFY", ...lines, "", ""].join("\r\n")),
  );

const UNREADABLE = [
  "Date: Sat, 1 Nov 2026 10:00:00 GMT",
  "Date: Sat, 01 Nov 2026 10:00:00 CET",
  "Warning: 399 gms bad",
  "P-Asserted-Identity: anonymous",
  "Allow: INVITE; ACK",
  "Allow-Events: presence; dialog",
  "Min-Expires:",
  "Retry-After: soon",
  "Supported: a b",
  "Unsupported: ,",
  "Content-Disposition: ;",
  "SIP-ETag: a b",
  "Path: sip:p@x.y",
  "Service-Route: sip:p@x.y",
];

describe("a malformed header field that nobody needs", () => {
  it.each(UNREADABLE)("costs neither a request nor an answer: %s", (line) => {
    const name = line.slice(0, line.indexOf(":"));
    for (const message of [request([line]), response([line])])
      expect(message.headers.texts(name)).toEqual([]);
  });

  it("leaves the fields beside it readable", () => {
    const { headers } = response(["Warning: 399 ue 136 failed", 'Warning: 399 ue "136 failed"']);
    expect(headers.all(WARNING).map(({ text }) => text)).toEqual(["136 failed"]);
    const twice = request(["Date: Sat, 01 Nov 2026 10:00:00 GMT", "Date: Sun, 02 Nov 2026 10:00:00 GMT"]);
    expect(twice.headers.texts("Date")).toEqual(["Sat, 01 Nov 2026 10:00:00 GMT"]);
  });

  it.each([
    "Contact: <sip:a@>",
    "Require: a b",
    "Expires: soon",
    "Event: ;",
    "Content-Type: text",
    "Record-Route: sip:p@x.y",
    "Max-Forwards: many",
    "Content-Length: x",
    "Authorization: Bearer",
  ])("is refused if it decides what becomes of the message: %s", (line) => {
    expect(() => request([line])).toThrow();
  });
});

describe("SIP numbers and names", () => {
  it.each([
    ["2147483647", true],
    ["2147483648", false],
    ["4294967295", false],
  ])("include CSeq %s: %s", (number, isRead) => {
    const read = () => request([], `${number} OPTIONS`);
    if (isRead) expect(read).not.toThrow();
    else expect(read).toThrow();
  });

  it.each(["sip:a@p_cscf.ims.example.org", "sip:a@_sip.example.org:5070", "sip:as_1"])(
    "include the URI %s, as underscores are in use",
    (uri) => {
      expect(request([`Contact: <${uri}>`]).headers.texts("Contact")).toEqual([`<${uri}>`]);
    },
  );
});

describe("a strict router in front of a route set", () => {
  it.each([
    ["alone", ["sip:10.0.0.3"]],
    ["before a loose one", ["sip:10.0.0.3", "sip:10.0.0.4;lr"]],
    ["with a parameter that is not lr", ["sip:10.0.0.3;lrx=1"]],
  ])("%s gets the NOTIFY itself (8.1.2)", async (_, routes) => {
    const world = await new World().start();
    world.notifier();
    world.subscribe({ headers: (h) => void h.set(RECORD_ROUTE, ...routes.map((uri) => nameAddress(uri))) });
    await world.clock.pass(100);
    const notify = world.network.seen.find(({ text }) => text.startsWith("NOTIFY"))!;
    expect(notify.to).toBe("10.0.0.3:5060");
    expect(notify.text).toMatch(/^NOTIFY sip:10\.0\.0\.3\S* SIP/);
    expect(notify.text).toMatch(/\r\nRoute: .*<sip:alice@10\.0\.0\.1\S*>\r\n/);
  });
});

describe("Retry-After in the answer to a refresh", () => {
  it("is obeyed, by a new subscription too when this one ends before", async () => {
    const world = await new World().start();
    let asked = 0;
    world.notifier({
      minExpires: 1,
      onSubscribe: () =>
        asked++ === 0
          ? { state: "active" }
          : {
              refuse: {
                status: 500,
                headers: (h) => void h.set(RETRY_AFTER, { seconds: 30, params: new Map() }),
              },
            },
    });
    world.subscribe({ expires: 20 });
    await world.clock.pass(19_000);
    expect(asked).toBe(2);
    await world.clock.pass(5000);
    // It was refused after 10 s, and ended after 20.
    expect(asked).toBe(2);
    expect(world.ends).toMatchObject([{ cause: "expired" }]);
    expect(world.ends[0]!.retryAfter).toBeGreaterThan(18_000);
  });
});

describe("a refresh that is refused", () => {
  /** Milliseconds between refreshes that are refused, with the same draw for each wait. */
  async function waits(draw: number): Promise<number[]> {
    const world = await new World("UDP", {
      random: (length) => (length === 4 ? new Uint8Array(4).fill(draw) : random(length)),
    }).start();
    const times: number[] = [];
    world.notifier({
      onSubscribe: () => {
        times.push(world.clock.now());
        return times.length === 1 ? { state: "active" } : { refuse: { status: 500 } };
      },
    });
    world.subscribe({ expires: 600 });
    await world.clock.pass(400_000);
    return times.slice(2, 9).map((time, i) => Math.round((time - times[i + 1]!) / 500) * 500);
  }

  it("is tried again ever later, at a time drawn from the second half of the span", async () => {
    expect(await waits(0)).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 16_000]);
    expect(await waits(255)).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 32_000]);
  });
});

describe("the Allow header field", () => {
  const options = (world: World) =>
    world.client.request({ method: "OPTIONS", uri: "sip:x@10.0.0.2", from: "sip:a@b.c" });

  it("lists every supported method, and Allow-Events the packages", async () => {
    const world = await new World().start();
    world.notifier();
    const answer = options(world);
    await world.clock.pass(100);
    const { headers } = await answer;
    expect([...headers.all(ALLOW)].sort()).toEqual(["CANCEL", "NOTIFY", "OPTIONS", "SUBSCRIBE"]);
    expect(headers.all(ALLOW_EVENTS)).toEqual(["xcap-diff"]);
    world.server.onInvite(() => ({ status: 488 }));
    const again = options(world);
    await world.clock.pass(100);
    expect([...(await again).headers.all(ALLOW)]).toEqual(
      expect.arrayContaining(["INVITE", "ACK", "BYE", "CANCEL", "UPDATE"]),
    );
  });
});
