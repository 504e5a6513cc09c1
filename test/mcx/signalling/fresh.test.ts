/** Tests what makes a request fresh, and how much is remembered for that. */
import { describe, expect, it } from "vitest";
import { utf8 } from "../../../bindings/index.ts";
import {
  MEDIA,
  type Part,
  writeMcdataInfo,
  writeMcpttInfo,
  writeMcvideoInfo,
} from "../../../documents/group-xml/index.ts";
import { digestOfUnsigned } from "../../../documents/signalling-xml/index.ts";
import { Recent } from "../../../roles/call/recent.ts";
import { SeenMessages } from "../../../roles/call/seen-messages.ts";
import { BoundClient } from "../../../roles/mcx/signalling/clients.ts";
import { requireFresh, type SignedRequest } from "../../../roles/mcx/signalling/fresh.ts";
import { callerOf } from "../../../roles/mcx/signalling/request.ts";
import { Targets } from "../../../roles/server/targets.ts";
import {
  CALL_ID,
  createRequest,
  type Flow,
  FROM,
  type Incoming,
  nameAddress,
  parseMessage,
  type SipRequest,
  type TransportName,
} from "../../../transport/sip/index.ts";
import { NOW } from "../../support/names.ts";
import { ALICE, nameTokens } from "./parts.ts";

const WINDOW = 5 * 60_000;

const flowOf = (transport: TransportName): Flow => ({
  transport,
  reliable: transport !== "UDP",
  accepted: transport !== "UDP",
  remote: { host: "10.0.0.1", port: 40_000 },
  open: true,
  send: async () => undefined,
  close: () => undefined,
  abort: () => undefined,
});

const parts = [{ contentType: "application/sdp", body: Uint8Array.of(1, 2, 3) }];
let number = 0;

function signed(transport: TransportName, change: Partial<SignedRequest> = {}): SignedRequest {
  const request = createRequest("INVITE", "sip:mcx@home.example");
  request.headers.set(CALL_ID, "c").set(FROM, nameAddress(ALICE, new Map([["tag", "t"]])));
  const flow = flowOf(transport);
  return {
    incoming: { request, flow } as Incoming,
    client: new BoundClient(ALICE, ALICE, flow, NOW),
    parts,
    binding: { method: "INVITE", callId: "c", fromTag: "t", time: NOW, digest: digestOfUnsigned(parts) },
    signatures: [`signature ${number++}`],
    ...change,
  };
}

const options = { now: () => NOW, acceptUnbound: false };
const refusalOf = (request: SignedRequest, given = options) => {
  try {
    requireFresh(request, given);
    return "fresh";
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe("a signed request", () => {
  it.each([
    ["now", 0, "fresh"],
    ["within the window", -WINDOW, "fresh"],
    ["by a clock that is ahead", WINDOW, "fresh"],
    ["before the window", -WINDOW - 1, "REQUEST_STALE"],
    ["after it", WINDOW + 1, "REQUEST_STALE"],
  ])("made %s is judged by its time", (_, offset, outcome) => {
    const request = signed("UDP");
    expect(refusalOf({ ...request, binding: { ...request.binding!, time: NOW + offset } })).toBe(outcome);
  });

  it.each(["method", "callId", "fromTag", "digest"] as const)("of another %s is refused", (name) => {
    const request = signed("UDP");
    expect(refusalOf({ ...request, binding: { ...request.binding!, [name]: "other" } })).toBe(
      "REQUEST_CHANGED",
    );
  });

  it("with other parts, or with the same in another order, is refused", () => {
    const more = { contentType: "application/octet-stream", body: Uint8Array.of(4) };
    expect(refusalOf(signed("UDP", { parts: [...parts, more] }))).toBe("REQUEST_CHANGED");
    const digest = digestOfUnsigned([...parts, more]);
    const { binding } = signed("UDP");
    const turned = signed("UDP", { parts: [more, ...parts], binding: { ...binding!, digest } });
    expect(refusalOf(turned)).toBe("REQUEST_CHANGED");
  });

  it("that came before is refused", () => {
    const request = signed("TLS");
    expect([refusalOf(request), refusalOf(request)]).toEqual(["fresh", "REPLAYED"]);
  });

  it("of a standard client, which is not signed, is accepted over TLS on the flow of its CSK only", () => {
    const binding = undefined;
    for (const transport of ["TLS", "WSS"] as const) {
      expect(refusalOf(signed(transport, { binding })), transport).toBe("fresh");
      const elsewhere = signed(transport, { binding });
      const { request } = elsewhere.incoming;
      const other = { request, flow: flowOf(transport) } as Incoming;
      expect(refusalOf({ ...elsewhere, incoming: other }), transport).toBe("REQUEST_UNBOUND");
    }
    // A proxy that is trusted says that it is of the client, wherever it comes from.
    expect(refusalOf(signed("UDP", { binding, isAsserted: true }))).toBe("fresh");
    for (const transport of ["UDP", "TCP", "WS"] as const) {
      expect(refusalOf(signed(transport, { binding })), transport).toBe("REQUEST_UNBOUND");
      const accepting = { ...options, acceptUnbound: true };
      expect(refusalOf(signed(transport, { binding }), accepting), transport).toBe("fresh");
    }
  });

  it("beyond those that can be remembered is refused, until others expire", () => {
    const { client } = signed("TLS");
    const at = (now: number) => {
      const request = signed("TLS", { client });
      const binding = { ...request.binding!, time: now };
      return refusalOf({ ...request, binding }, { ...options, now: () => now });
    };
    for (let n = 0; n < 600; n++) expect(at(NOW)).toBe("fresh");
    expect(at(NOW)).toBe("TOO_MANY");
    expect(at(NOW + 2 * WINDOW - 1)).toBe("TOO_MANY");
    expect(at(NOW + 2 * WINDOW)).toBe("fresh");
  });
});

describe("the bounded memory of the MCX server", () => {
  it("for requests drops the oldest that need not be kept", () => {
    const recent = new Recent({ most: 2 });
    for (const id of ["a", "b", "c"]) recent.add(id, 0);
    expect(["a", "b", "c"].map((id) => recent.has(id))).toEqual([false, true, true]);
  });

  it("for messages has a bound for each sender and over all senders", () => {
    const seen = new SeenMessages({ senders: 2, each: 2 });
    const enter = (sender: string, id: number) =>
      seen.enter(sender, { conversationId: Uint8Array.of(0), messageId: Uint8Array.of(id) }, 0);
    expect([1, 2, 1, 3, 1].map((id) => enter("a", id))).toEqual([true, true, false, true, true]);
    expect([enter("b", 3), enter("b", 3), enter("a", 3)]).toEqual([true, false, false]);
    enter("c", 1);
    // Nothing is known any more of b, who was silent longest.
    expect([enter("a", 1), enter("b", 3)]).toEqual([false, true]);
  });
});

describe("the sender of a request", () => {
  const proxies = (...hosts: string[]) => new Targets({ trustedProxies: hosts, allowedTargets: [] });
  const callerIn = (lines: readonly string[], targets = proxies(), parts: readonly Part[] = []) => {
    const text = [
      "PUBLISH sip:mcx@home.example SIP/2.0",
      "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1",
      "To: <sip:mcx@home.example>",
      "Call-ID: c",
      "CSeq: 1 PUBLISH",
      ...lines,
      "",
      "",
    ].join("\r\n");
    const request = parseMessage(utf8(text)) as SipRequest;
    const context = { tokens: nameTokens, now: () => NOW, targets };
    return callerOf({ request, flow: flowOf("UDP") } as Incoming, parts, context);
  };
  const token = "Authorization: Bearer for-alice";

  it.each([
    ["the identity of the token", "<sip:alice@home.example>"],
    ["another user", "<sip:bob@home.example>"],
    ["an IMS identity", "<sip:user2_public1@home1.net>"],
    ["a telephone number", "<tel:+1-201-555-0123>"],
    ["nobody", '"Anonymous" <sip:anonymous@anonymous.invalid>'],
  ])("is the user of the token, where From is %s", async (_, from) => {
    expect(await callerIn([`From: ${from};tag=1`, token])).toEqual({ users: [ALICE], asserted: [] });
  });

  it.each([
    ["mcptt-info", MEDIA.mcpttInfo, writeMcpttInfo],
    ["mcvideo-info", MEDIA.mcvideoInfo, writeMcvideoInfo],
    ["mcdata-info", MEDIA.mcdataInfo, writeMcdataInfo],
  ])("is the user of the token in %s", async (_, contentType, write) => {
    const parts = [{ contentType, body: utf8(write({ accessToken: "for-alice" })) }];
    expect((await callerIn(["From: <sip:a1@home1.net>;tag=1"], proxies(), parts)).users).toEqual([ALICE]);
  });

  it("is the identity that a trusted proxy asserts", async () => {
    const lines = [
      "From: <sip:a1@home1.net>;tag=1",
      'P-Asserted-Identity: "Alice" <sip:a1@home1.net>, <tel:+12015550123>',
    ];
    const asserted = ["sip:a1@home1.net", "tel:+12015550123"];
    expect(await callerIn(lines, proxies("10.0.0.1"))).toEqual({ users: undefined, asserted });
    expect(await callerIn(lines, proxies("10.0.0.2"))).toEqual({ users: undefined, asserted: [] });
  });

  it.each([
    ["a token that does not hold", ["Authorization: Bearer nonsense"], [], "TOKEN_INVALID"],
    ["an info document that is none", [], [{ contentType: MEDIA.mcpttInfo, body: utf8("<a>") }], "BAD_BODY"],
  ])("is refused with %s", async (_, lines, parts, code) => {
    const from = "From: <sip:alice@home.example>;tag=1";
    await expect(callerIn([from, ...lines], proxies(), parts)).rejects.toMatchObject({ code });
  });
});
