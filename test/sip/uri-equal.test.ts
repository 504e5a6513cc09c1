/** When two texts are one URI (RFC 3261 19.1.4, RFC 3966 5). */
import { describe, expect, it } from "vitest";
import { isSameUri, uriKey } from "../../transport/sip/index.ts";

describe("SIP and tel URIs", () => {
  it.each([
    // The examples of 19.1.4.
    ["sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"],
    ["sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"],
    ["sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5"],
    [
      "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
      "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
    ],
    [
      "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
      "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
    ],
    ["sip:alice@example.org", "SIP:alice@EXAMPLE.ORG"],
    ["sip:a%2fb@example.org", "sip:a%2Fb@example.org"],
    ["sip:[2001:DB8::1]", "sip:[2001:db8::1]"],
    ["tel:+1-201-555-0123", "tel:+12015550123"],
    ["tel:863-1234;phone-context=Example.com", "TEL:8631234;phone-context=example.com"],
  ])("are equal: %s, %s", (a, b) => {
    expect([isSameUri(a, b), isSameUri(b, a)]).toEqual([true, true]);
    expect(uriKey(a)).toBe(uriKey(b));
  });

  it.each([
    ["SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"],
    ["sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"],
    ["sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"],
    ["sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"],
    ["sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"],
    ["sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"],
    ["sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"],
    ["sip:alice@example.org", "sips:alice@example.org"],
    ["sip:alice@example.org", "sip:alice@example.org;user=phone"],
    ["sip:alice:secret@example.org", "sip:alice@example.org"],
    ["sip:a%2Fb@example.org", "sip:a/b@example.org"],
    ["sip:alice@example.org", "tel:+1-201-555-0123"],
    ["tel:+12015550123", "tel:+12015550124"],
    ["no URI", "No URI"],
    ["sip:alice@", "sip:Alice@"],
  ])("are different: %s, %s", (a, b) => {
    expect([isSameUri(a, b), isSameUri(b, a)]).toEqual([false, false]);
  });
});
