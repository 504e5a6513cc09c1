/** The messages of RFC 4475. "Valid" ones parse, "invalid" ones are refused, those of 3.3 and 3.4 are a user agent's. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { toHex } from "../../base/bytes.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import {
  CALL_ID,
  CONTACT,
  CSEQ,
  DATE,
  EXPIRES,
  FROM,
  MAX_FORWARDS,
  parseMessage,
  parseSipUri,
  REQUIRE,
  ROUTE,
  type SipMessage,
  StreamFramer,
  TO,
  VIA,
  writeMessage,
} from "../../transport/sip/index.ts";

const FOLDER = new URL("../vectors/sip/", import.meta.url);
const load = (name: string) => new Uint8Array(readFileSync(new URL(`${name}.dat`, FOLDER)));
const parse = (name: string) => parseMessage(load(name));

/** 3.1.1. */
const VALID =
  "wsinv intmeth esc01 escnull esc02 lwsdisp longreq dblreq semiuri transports mpart01 unreason noreason".split(
    " ",
  );

/** 3.1.2 and those of 3.3 whose fields cannot be read, each with the code it is refused with. */
const INVALID: Record<string, string> = {
  badinv01: "SIP_HEADER",
  clerr: "SIP_LENGTH",
  ncl: "SIP_HEADER",
  scalar02: "SIP_HEADER",
  scalarlg: "SIP_HEADER",
  quotbal: "SIP_HEADER",
  ltgtruri: "SIP_START_LINE",
  lwsruri: "SIP_START_LINE",
  lwsstart: "SIP_START_LINE",
  trws: "SIP_START_LINE",
  escruri: "SIP_START_LINE",
  regbadct: "SIP_HEADER",
  badaspec: "SIP_HEADER",
  baddn: "SIP_HEADER",
  badvers: "SIP_VERSION",
  mismatch01: "SIP_HEADER",
  mismatch02: "SIP_HEADER",
  bigcode: "SIP_START_LINE",
  insuf: "SIP_HEADER",
  multi01: "SIP_HEADER",
  mcl01: "SIP_HEADER",
};

/** 3.2 to 3.4: well-formed for a parser; and the date of another time zone (3.1.2.12), which nobody needs. */
const FOR_LATER =
  "badbranch baddate unkscm novelsc unksm2 bext01 invut regaut01 bcast zeromf cparam01 cparam02 regescrt sdp01 inv2543".split(
    " ",
  );

function codeOf(name: string): string {
  try {
    parse(name);
    return "parsed";
  } catch (error) {
    if (!(error instanceof MikeySakkeError)) throw error;
    return error.code;
  }
}

describe("RFC 4475", () => {
  it("has all its messages in the test vectors", () => {
    const files = readdirSync(FOLDER).filter((name) => name.endsWith(".dat"));
    const named = [...VALID, ...Object.keys(INVALID), ...FOR_LATER].map((name) => `${name}.dat`);
    expect(files.sort()).toEqual(named.sort());
    expect(files).toHaveLength(49);
  });

  it.each([...VALID, ...FOR_LATER])(
    "has the valid message %s, which parses, and again once written",
    (name) => {
      const first = parse(name);
      const again = parseMessage(writeMessage(first));
      expect(again.kind).toBe(first.kind);
      expect(toHex(again.body)).toBe(toHex(first.body));
      const fields = (message: SipMessage) =>
        [...message.headers].filter(([key]) => key !== "Content-Length");
      expect(fields(again)).toEqual(fields(first));
    },
  );

  it.each(Object.entries(INVALID))("has the invalid message %s, which is refused with %s", (name, code) => {
    expect(codeOf(name)).toBe(code);
  });

  it("wsinv is read: folded, compact and quoted", () => {
    const message = parse("wsinv");
    const { headers } = message;
    expect(headers.need(TO).params.get("tag")).toBe("1918181833n");
    expect(headers.need(FROM)).toMatchObject({
      display: '"J Rosenberg \\\\\\""',
      uri: "sip:jdrosen@example.com",
    });
    expect(headers.need(MAX_FORWARDS)).toBe(68);
    expect(headers.need(CSEQ)).toEqual({ number: 9, method: "INVITE" });
    expect(headers.all(VIA).map((via) => [via.transport, via.host])).toEqual([
      ["UDP", "192.0.2.2"],
      ["TCP", "spindle.example.com"],
      ["UDP", "192.168.255.111"],
    ]);
    expect(headers.texts("Subject")).toEqual([""]);
    expect(headers.texts("UnknownHeaderWithUnusualValue")).toEqual([";;,,;;,;"]);
    expect(headers.texts("NewFangledHeader")).toEqual(["newfangled value continued newfangled value"]);
    expect(headers.get(ROUTE)?.uri).toBe("sip:services.example.com;lr;unknownwith=value;unknown-no-value");
    const contact = headers.get(CONTACT);
    expect(contact).toMatchObject({ display: '"Quoted string \\"\\""', uri: "sip:jdrosen@example.com" });
    expect(new TextDecoder().decode(message.body)).toMatch(/^v=0\r\n.*LPC\r\n$/s);
  });

  it("intmeth is read: every character of a token, quoted controls, UTF-8", () => {
    const message = parse("intmeth");
    expect(message).toMatchObject({ method: "!interesting-Method0123456789_*+`.%indeed'~" });
    expect(message.headers.need(TO).display).toBe('"BEL:\\\x07 NUL:\\\x00 DEL:\\\x7f"');
    expect(message.headers.need(FROM).params.get("tag")).toBe("_token~1'+`*%!-.");
    expect(message.headers.need(CALL_ID)).toBe("intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{");
    expect(message.headers.texts("extensionHeader-!.%*+_`'~")).toEqual(["\ufeff大停電"]);
  });

  it("esc01 and escnull keep their escapes", () => {
    const first = parse("esc01");
    expect(first).toMatchObject({ uri: "sip:sips%3Auser%40example.com@example.net" });
    expect(parseSipUri((first as { uri: string }).uri).user).toBe("sips%3Auser%40example.com");
    expect(parse("escnull").headers.all(CONTACT)).toHaveLength(2);
  });

  it("dblreq is read without the second request of its datagram as a body", () => {
    expect(parse("dblreq")).toMatchObject({ method: "REGISTER", body: new Uint8Array(0) });
  });

  it("semiuri, transports, mpart01, unreason and noreason are read", () => {
    const { uri } = parse("semiuri") as { uri: string };
    expect(parseSipUri(uri)).toMatchObject({ user: "user;par=u%40example.net", host: "example.com" });
    const transports = parse("transports").headers.all(VIA);
    expect(transports.map((via) => via.transport)).toEqual(["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]);
    expect(parse("mpart01").body).toHaveLength(553);
    expect(parse("mpart01").headers.get(DATE)?.toISOString()).toBe("2005-10-15T04:44:56.000Z");
    expect((parse("unreason") as { reason: string }).reason).toContain("девяносто девять - простое");
    expect(parse("noreason")).toMatchObject({ status: 100, reason: "" });
  });

  it("bext01, regescrt and inv2543 are read", () => {
    expect(parse("bext01").headers.all(REQUIRE)).toEqual([
      "nothingSupportsThis",
      "nothingSupportsThisEither",
    ]);
    const contact = parse("regescrt").headers.get(CONTACT);
    expect(contact).toMatchObject({ uri: "sip:user@example.com?Route=%3Csip:sip.example.com%3E" });
    expect(parse("inv2543").headers.need(VIA).params.has("branch")).toBe(false);
    expect(parse("inv2543").headers.get(EXPIRES)).toBeUndefined();
  });

  it("dblreq in a stream is two requests, however it is cut into pieces", () => {
    // The octets behind the 150 that the second message announces are no message.
    const bytes = load("dblreq").subarray(0, 745);
    for (const size of [1, 7, 64, bytes.length]) {
      const methods: string[] = [];
      const framer = new StreamFramer({
        message(one) {
          const message = parseMessage(one, "stream");
          if (message.kind === "request") methods.push(message.method);
        },
      });
      for (let at = 0; at < bytes.length; at += size) framer.push(bytes.subarray(at, at + size));
      expect(methods).toEqual(["REGISTER", "INVITE"]);
    }
  });
});
