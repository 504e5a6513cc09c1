/** Dialogs: route sets, targets and numbers (RFC 3261 12), and the way of requests through proxies. */
import { describe, expect, it } from "vitest";
import { dialogOfNotify, dialogOfRequest, dialogOfResponse } from "../../transport/sip/dialog/dialog.ts";
import { DialogSource } from "../../transport/sip/dialog/source.ts";
import {
  CALL_ID,
  CONTACT,
  CSEQ,
  createRequest,
  createResponse,
  type Flow,
  FROM,
  nameAddress,
  RECORD_ROUTE,
  ROUTE,
  type SipRequest,
  TO,
  VIA,
} from "../../transport/sip/index.ts";
import { World } from "./support/endpoints.ts";

const flow = (accepted: boolean, reliable = true): Flow => ({
  transport: reliable ? "TCP" : "UDP",
  reliable,
  accepted,
  remote: { host: "10.0.0.1", port: 40_000 },
  open: true,
  send: async () => undefined,
  close: () => undefined,
  abort: () => undefined,
});

const uris = (request: SipRequest) => request.headers.all(ROUTE).map(({ uri }) => uri);

function subscribe(number = 7, ...routes: string[]): SipRequest {
  const request = createRequest("SUBSCRIBE", "sip:gms@example.com");
  request.headers
    .set(VIA, { transport: "TCP", host: "10.0.0.1", params: new Map([["branch", "z9hG4bK1"]]) })
    .set(FROM, nameAddress("sip:a@example.com", new Map([["tag", "A"]])))
    .set(TO, nameAddress("sip:gms@example.com"))
    .set(CALL_ID, "c1")
    .set(CSEQ, { number, method: "SUBSCRIBE" })
    .set(RECORD_ROUTE, ...routes.map((uri) => nameAddress(uri)))
    .set(CONTACT, nameAddress("sip:a@10.0.0.1:5070"));
  return request;
}

describe("a SIP dialog", () => {
  it("keeps its route set in order at the UAS, and in reverse at the UAC (12.1)", () => {
    const request = subscribe(7, "sip:p1.example.com;lr", "sip:p2.example.com;lr");
    const uas = dialogOfRequest(request, "B", flow(true));
    expect(uris(uas.request("NOTIFY"))).toEqual(["sip:p1.example.com;lr", "sip:p2.example.com;lr"]);
    const response = createResponse(request, 200, "OK", "B");
    response.headers.set(CONTACT, nameAddress("sip:g@10.0.0.2")).copy(RECORD_ROUTE, request.headers);
    const uac = dialogOfResponse(request, response, new DialogSource(false));
    const next = uac.request("SUBSCRIBE");
    expect(uris(next)).toEqual(["sip:p2.example.com;lr", "sip:p1.example.com;lr"]);
    expect(next.uri).toBe("sip:g@10.0.0.2");
    expect(next.headers.need(CSEQ).number).toBe(8);
    expect([next.headers.need(TO).params.get("tag"), next.headers.need(FROM).params.get("tag")]).toEqual([
      "B",
      "A",
    ]);
  });

  it("puts the first hop into the Request-URI where that is a strict router (12.2.1.1)", () => {
    const dialog = dialogOfRequest(
      subscribe(7, "sip:p1.example.com", "sip:p2.example.com;lr"),
      "B",
      flow(true),
    );
    const notify = dialog.request("NOTIFY");
    expect(notify.uri).toBe("sip:p1.example.com");
    expect(uris(notify)).toEqual(["sip:p2.example.com;lr", "sip:a@10.0.0.1:5070"]);
  });

  it("accepts requests in order only, and a new Contact as target (12.2.2)", () => {
    const dialog = dialogOfRequest(subscribe(7), "B", flow(true));
    const again = subscribe(9);
    again.headers.set(CONTACT, nameAddress("sip:a@10.0.0.99"));
    expect(dialog.accept(again, flow(true))).toBe(true);
    expect(dialog.remoteTarget).toBe("sip:a@10.0.0.99");
    for (const old of [8, 9]) expect(dialog.accept(subscribe(old), flow(true))).toBe(false);
    expect(dialog.remoteTarget).toBe("sip:a@10.0.0.99");
  });

  it("keeps to the flow that the peer opened, where no proxy is in between", () => {
    expect(dialogOfRequest(subscribe(), "B", flow(true)).way.flow).toBeDefined();
    expect(dialogOfRequest(subscribe(), "B", flow(false)).way.flow).toBeUndefined();
    expect(dialogOfRequest(subscribe(), "B", flow(true, false)).way.flow).toBeUndefined();
    expect(dialogOfRequest(subscribe(1, "sip:p.example.com;lr"), "B", flow(true)).way.flow).toBeUndefined();
    const proxied = subscribe();
    proxied.headers.prepend(VIA, { transport: "TCP", host: "p.example.com", params: new Map() });
    expect(dialogOfRequest(proxied, "B", flow(true)).way.flow).toBeUndefined();
  });

  it("needs one Contact that is a SIP URI", () => {
    for (const contacts of [[], ["sip:a@b.c", "sip:d@e.f"], ["tel:1"]]) {
      const request = subscribe();
      request.headers.set(CONTACT, ...contacts.map((uri) => nameAddress(uri)));
      expect(() => dialogOfRequest(request, "B", flow(true))).toThrow();
    }
  });

  it("of a NOTIFY is that of the subscriber (RFC 6665 4.4.1)", () => {
    const notify = dialogOfRequest(subscribe(), "B", flow(true)).request("NOTIFY");
    notify.headers
      .set(CONTACT, nameAddress("sip:g@10.0.0.2"))
      .set(VIA, { transport: "TCP", host: "10.0.0.2", params: new Map() });
    const dialog = dialogOfNotify(notify, 7, flow(false), new DialogSource(false));
    expect(dialog.remoteTag).toBe("B");
    expect(dialog.request("SUBSCRIBE").headers.need(CSEQ).number).toBe(8);
  });
});

describe("a SIP dialog through proxies", () => {
  it("begins at the outbound proxy, and goes on along the route set (8.1.2)", async () => {
    const proxy = { host: "10.0.0.5", port: 5060 };
    const world = new World("UDP", { outboundProxy: "sip:10.0.0.5;lr" });
    await world.start();
    world.notifier();
    const seen: string[] = [];
    const transport = world.network.udp(proxy);
    // Passes requests on with Record-Route, and responses back, as much of a proxy as this needs.
    await transport.start({
      closed: () => undefined,
      message: async (bytes) => {
        const text = new TextDecoder().decode(bytes);
        seen.push(text.split(" ")[0]!);
        const request = !text.startsWith("SIP/2.0");
        const onward = request
          ? text
              .replace(/Route: .*\r\n/, "")
              .replace("\r\n", `\r\nVia: SIP/2.0/UDP 10.0.0.5:5060;branch=z9hG4bKp${seen.length}\r\n`)
              .replace("\r\nFrom", "\r\nRecord-Route: <sip:10.0.0.5;lr>\r\nFrom")
          : text.replace(/Via: .*\r\n/, "");
        const target = /CSeq: \d+ NOTIFY/.test(text) === request ? "10.0.0.1" : "10.0.0.2";
        const encoded = Uint8Array.from(onward, (c) => c.charCodeAt(0) & 255);
        await (await transport.connect({ host: target, port: 5060 })).send(encoded);
      },
    });
    const subscription = world.subscribe();
    await world.clock.pass(100);
    expect(subscription.state).toBe("active");
    subscription.refresh();
    await world.clock.pass(100);
    expect(seen.filter((word) => word === "SUBSCRIBE")).toHaveLength(2);
    expect(seen.filter((word) => word === "NOTIFY")).toHaveLength(2);
    const direct = world.network.seen.filter(({ from, to }) => !`${from}${to}`.includes("10.0.0.5"));
    expect(direct).toEqual([]);
  });
});
