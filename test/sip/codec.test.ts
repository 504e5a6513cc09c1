/** The codec: what is written is read again, whatever the body; limits; frames of a stream. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concat, toHex, utf8 } from "../../base/bytes.ts";
import {
  CALL_ID,
  CONTACT,
  CSEQ,
  createRequest,
  DEFAULT_LIMITS,
  EVENT,
  FROM,
  formatUri,
  Headers,
  nameAddress,
  parseMessage,
  parseSipUri,
  parseUri,
  quote,
  RETRY_AFTER,
  StreamFramer,
  SUBSCRIPTION_STATE,
  TO,
  unquote,
  VIA,
  WARNING,
  WWW_AUTHENTICATE,
  writeMessage,
} from "../../transport/sip/index.ts";

const TOKEN_CHARS = [..."abcXYZ019-.!%*_+`'~"];
const token = fc
  .array(fc.constantFrom(...TOKEN_CHARS), { minLength: 1, maxLength: 12 })
  .map((c) => c.join(""));
const text = fc.string({ unit: "grapheme", maxLength: 30 }).filter((s) => !/[\r\n]/.test(s));
const body = fc.uint8Array({ maxLength: 400 });
const host = fc.constantFrom("example.com", "10.0.0.7", "[2001:db8::1]", "a-b.c", "host.invalid");
const port = fc.option(fc.integer({ min: 1, max: 65535 }), { nil: undefined });

function request(content: Uint8Array = new Uint8Array(0)) {
  const message = createRequest("NOTIFY", "sip:alice@10.0.0.2:5070;transport=tcp", content);
  message.headers
    .set(VIA, { transport: "TCP", host: "10.0.0.1", params: new Map([["branch", "z9hG4bKa"]]) })
    .set(FROM, nameAddress("sip:gms@example.com", new Map([["tag", "1"]])))
    .set(TO, nameAddress("sip:alice@example.com", new Map([["tag", "2"]])))
    .set(CALL_ID, "c@h")
    .set(CSEQ, { number: 7, method: "NOTIFY" });
  return message;
}

function codeOf(run: () => unknown): string {
  try {
    run();
    return "none";
  } catch (error) {
    return (error as { code: string }).code;
  }
}

const raw = (...lines: string[]) => utf8(`${lines.join("\r\n")}\r\n\r\n`);
const START = ["OPTIONS sip:a@b.c SIP/2.0", "v: SIP/2.0/UDP h.c;branch=z9hG4bK1", "f: <sip:x@y.z>;tag=1"];
const REST = ["t: <sip:a@b.c>", "i: 1", "CSeq: 1 OPTIONS"];

describe("SIP messages", () => {
  it("carry any octet in the body", () => {
    fc.assert(
      fc.property(body, (content) => {
        const bytes = writeMessage(request(content));
        expect(toHex(parseMessage(bytes, "stream").body)).toBe(toHex(content));
      }),
    );
  });

  it("keep names, texts and parameters when written and read", () => {
    const params = fc.uniqueArray(
      fc.tuple(token, fc.option(fc.oneof(token, text.map(quote)), { nil: undefined })),
      {
        selector: ([name]) => name.toLowerCase(),
        maxLength: 4,
      },
    );
    fc.assert(
      fc.property(params, text, token, host, port, (pairs, name, event, at, number) => {
        const message = request();
        const map = new Map(pairs.map(([key, value]) => [key.toLowerCase(), value]));
        message.headers
          .set(CONTACT, { display: quote(name), uri: `sip:${at}`, params: map })
          .set(EVENT, { value: event, params: map })
          .set(VIA, {
            transport: "UDP",
            host: at,
            ...(number === undefined ? {} : { port: number }),
            params: map,
          })
          .set(WARNING, { code: 399, agent: "gms.example.com", text: name });
        const { headers } = parseMessage(writeMessage(message));
        expect(headers.get(CONTACT)).toEqual({ display: quote(name), uri: `sip:${at}`, params: map });
        expect(headers.get(EVENT)).toEqual({ value: event, params: map });
        expect(headers.get(VIA)).toMatchObject({ host: at, params: map });
        expect(headers.get(VIA)?.port).toBe(number);
        expect(headers.get(WARNING)?.text).toBe(name);
        expect(unquote(quote(name))).toBe(name);
      }),
    );
  });

  it("are parsed or refused with a codec error, never worse", () => {
    const start = writeMessage(request(utf8("body")));
    fc.assert(
      fc.property(fc.nat(start.length - 1), fc.nat(255), fc.nat(20), (at, value, cut) => {
        const bytes = start.slice(0, start.length - cut);
        if (at < bytes.length) bytes[at] = value;
        try {
          parseMessage(bytes, "stream");
        } catch (error) {
          expect(error).toMatchObject({ name: "MikeySakkeError", kind: "codec" });
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("are limited in head, lines and body", () => {
    const limits = { head: 600, lines: 12, body: 5 };
    expect(codeOf(() => parseMessage(raw(...START, ...REST), "datagram", limits))).toBe("none");
    const many = [...START, ...REST, ...Array.from({ length: 10 }, () => "X: y")];
    expect(codeOf(() => parseMessage(raw(...many), "datagram", limits))).toBe("SIP_TOO_LARGE");
    const long = raw(...START, ...REST, `X: ${"y".repeat(600)}`);
    expect(codeOf(() => parseMessage(long, "datagram", limits))).toBe("SIP_TOO_LARGE");
    const large = writeMessage(request(new Uint8Array(6)));
    expect(codeOf(() => parseMessage(large, "datagram", limits))).toBe("SIP_TOO_LARGE");
  });

  it.each([
    ["a bare LF", "X: a\nY: b", "SIP_HEADER"],
    ["no colon", "Nonsense", "SIP_HEADER"],
    ["a control character", "X: a\u0000b", "SIP_HEADER"],
    ["two To", "To: <sip:q@b.c>", "SIP_HEADER"],
    ["a parameter twice", "Contact: <sip:q@b.c>;a=1;A=2", "SIP_HEADER"],
    ["a route without <>", "Route: sip:q@b.c", "SIP_HEADER"],
    ["an empty list value", "Require: a,,b", "SIP_HEADER"],
    ["* beside a contact", "Contact: *\r\nContact: <sip:q@b.c>", "SIP_HEADER"],
    ["a port of 70000", "Contact: <sip:q@b.c:70000>", "SIP_HEADER"],
    ["an IPv4 address of 256", "Contact: <sip:q@256.1.1.1>", "SIP_HEADER"],
  ])("with %s are refused", (_, line, code) => {
    expect(codeOf(() => parseMessage(raw(...START, ...REST, line)))).toBe(code);
  });

  it("in another character set than UTF-8 are refused", () => {
    const bytes = raw(...START, ...REST, "X: ?");
    bytes[bytes.indexOf(63)] = 0xe4;
    expect(codeOf(() => parseMessage(bytes))).toBe("SIP_NOT_UTF8");
  });

  it("hold typed values", () => {
    const lines = [
      "Subscription-State: terminated;reason=giveup;retry-after=30",
      "Retry-After: 18000 (in a meeting);duration=3600",
      'Warning: 307 isi.edu "Session parameter \\"foo\\"", 399 [::1]:5060 "x"',
      'WWW-Authenticate: Digest realm="a, b", qop="auth,auth-int", nonce=""',
      'WWW-Authenticate: Bearer authz_server="https://x.y"',
      "Expires: 99999999999999999999",
    ];
    const { headers } = parseMessage(raw(...START, ...REST, ...lines));
    expect(headers.get(SUBSCRIPTION_STATE)).toMatchObject({ value: "terminated" });
    expect(headers.get(SUBSCRIPTION_STATE)?.params.get("retry-after")).toBe("30");
    expect(headers.get(RETRY_AFTER)).toMatchObject({ seconds: 18000, comment: "(in a meeting)" });
    expect(headers.all(WARNING)).toEqual([
      { code: 307, agent: "isi.edu", text: 'Session parameter "foo"' },
      { code: 399, agent: "[::1]:5060", text: "x" },
    ]);
    expect(headers.all(WWW_AUTHENTICATE).map((c) => c.scheme)).toEqual(["Digest", "Bearer"]);
    expect(headers.texts("Expires")).toEqual(["99999999999999999999"]);
  });

  it("cannot get extra lines through a value", () => {
    expect(codeOf(() => new Headers().append("Subject", "a\r\nVia: x"))).toBe("SIP_BAD_TEXT");
    expect(codeOf(() => quote("a\nb"))).toBe("SIP_BAD_TEXT");
  });
});

describe("streams of SIP messages", () => {
  it("are cut into the messages they were made of, however they are split", () => {
    fc.assert(
      fc.property(
        fc.array(body, { minLength: 1, maxLength: 5 }),
        fc.array(fc.nat(2000), { maxLength: 20 }),
        (all, cuts) => {
          const stream = concat(
            ...all.map((content) => concat(utf8("\r\n"), writeMessage(request(content)))),
          );
          const borders = [...new Set([0, ...cuts.map((cut) => cut % stream.length), stream.length])].sort(
            (a, b) => a - b,
          );
          const bodies: string[] = [];
          const framer = new StreamFramer({
            message: (one) => bodies.push(toHex(parseMessage(one, "stream").body)),
          });
          for (let i = 1; i < borders.length; i++) framer.push(stream.subarray(borders[i - 1], borders[i]));
          expect(bodies).toEqual(all.map(toHex));
        },
      ),
    );
  });

  it("tell keep-alives from messages (RFC 5626 3.5.1)", () => {
    let pings = 0;
    let messages = 0;
    const framer = new StreamFramer({ message: () => messages++, ping: () => pings++ });
    for (const piece of ["\r", "\n\r", "\n", "\r\n\r\n"]) framer.push(utf8(piece));
    framer.push(writeMessage(request()));
    expect([pings, messages]).toEqual([2, 1]);
  });

  it.each([
    ["no Content-Length", []],
    ["two", ["l: 0", "Content-Length: 0"]],
    ["a malformed one", ["l: 1x"]],
    ["one above the limit", [`l: ${DEFAULT_LIMITS.body + 1}`]],
  ])("with %s end", (_, lines) => {
    const framer = new StreamFramer({ message: () => expect.unreachable() });
    expect(codeOf(() => framer.push(raw(...START, ...REST, ...lines)))).toMatch(/^SIP_(LENGTH|TOO_LARGE)$/);
  });

  it("without an end of the head end at the limit", () => {
    const framer = new StreamFramer(
      { message: () => expect.unreachable() },
      { head: 100, lines: 9, body: 9 },
    );
    framer.push(new Uint8Array(90).fill(65));
    expect(codeOf(() => framer.push(new Uint8Array(90).fill(65)))).toBe("SIP_TOO_LARGE");
  });
});

describe("SIP URIs", () => {
  it("are written as they were read", () => {
    for (const uri of [
      "sip:alice@example.com",
      "sips:alice:pw@10.0.0.1:5061;transport=tls;lr?Subject=a%20b&x=",
      "sip:[2001:db8::10]:5070",
      "sip:+1-212-555;phone-context=x@h.example.com;user=phone",
    ]) {
      expect(formatUri(parseSipUri(uri))).toBe(uri);
    }
    expect(parseUri("tel:+1234")).toEqual({ scheme: "tel", opaque: "+1234" });
  });

  it.each([
    "alice@example.com",
    "sip:",
    "sip:a b@c.d",
    "sip:@c.d",
    "sip:a@b!c",
    "sip:a@b.c;x=1;X=2",
    "sip:a@b.c?x",
  ])("are refused: %s", (uri) => {
    expect(codeOf(() => parseSipUri(uri))).toBe("SIP_URI");
  });
});
