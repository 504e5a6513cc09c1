/** Messages that nobody has vouched for: what they cost, and where answers to them go. */
import { describe, expect, it } from "vitest";
import { concat, utf8 } from "../../base/bytes.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import { StreamFramer } from "../../transport/sip/codec/framer.ts";
import { parseMessage } from "../../transport/sip/codec/parse.ts";
import { answerToMalformed } from "../../transport/sip/core/malformed-request.ts";
import { createSipEndpoint, DEFAULT_LIMITS, Headers, VIA } from "../../transport/sip/index.ts";
import { WebSocketProgress } from "../../transport/sip/socket/websocket-progress.ts";
import { settle, VirtualClock } from "../support/clock.ts";
import { growthOf } from "./support/growth.ts";
import { Network } from "./support/network.ts";

const LIMITS = { ...DEFAULT_LIMITS, head: 1 << 20, lines: 10_000 };
const HEAD = [
  "OPTIONS sip:x@y.z SIP/2.0",
  "Via: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK1",
  "From: <sip:e@x.y>;tag=1",
];
const REST = ["To: <sip:b@x.y>", "Call-ID: 1", "CSeq: 1 OPTIONS", "", ""];
const message = (...lines: string[]) => utf8([...HEAD, ...lines, ...REST].join("\r\n"));

/** Parses it, and makes the answer if it cannot be parsed. */
function receive(bytes: Uint8Array): void {
  try {
    parseMessage(bytes, "datagram", LIMITS);
  } catch (error) {
    answerToMalformed(bytes, error, "tag", LIMITS);
  }
}

describe("the time for a message grows no faster than its size:", () => {
  const LINE_SEPARATOR = "\u2028";
  const kinds: Record<string, (n: number) => Uint8Array> = {
    "blanks before U+2028 in a header": (n) => message(`X:${" ".repeat(n)}${LINE_SEPARATOR}`),
    "blanks before U+2028 in a message that cannot be parsed": (n) =>
      utf8(`OPTIONS sip:x SIP/2.0\r\nX:${" ".repeat(n)}${LINE_SEPARATOR}\r\n\r\n`),
    "blanks in the name of a header": (n) => message(`X${" ".repeat(n)}`),
    "blanks at the end of a header": (n) => message(`X: a${" ".repeat(n)}b`),
    "folded lines": (n) => message(`X: a${"\r\n ".repeat(n / 3)}b`),
    "many Vias": (n) =>
      message(
        `Via: ${Array(Math.floor(n / 30))
          .fill("SIP/2.0/UDP 1.2.3.4;branch=z")
          .join(", ")}`,
      ),
    "many lines of Via": (n) => message(...Array(Math.floor(n / 30)).fill("v: SIP/2.0/UDP 1.2.3.4;branch=z")),
    "a quoted string without an end": (n) => message(`Contact: "${"\\a".repeat(n / 2)}`),
    "quotes after quotes": (n) => message(`Contact: ${'"" '.repeat(n / 3)}`),
    "nested comments": (n) => message(`Retry-After: 1 ${"(".repeat(n)}`),
    commas: (n) => message(`Supported: ${",".repeat(n)}`),
    "tokens and commas": (n) => message(`Supported: ${"a,".repeat(n / 2)}a`),
    "many parameters": (n) =>
      message(`Event: x${Array.from({ length: n / 8 }, (_, i) => `;p${i}=1`).join("")}`),
    "a long parameter": (n) => message(`Event: x;a=${"b".repeat(n)}@`),
    "labels of a host": (n) => message(`Contact: <sip:${"a.".repeat(n / 2)}>`),
    "hyphens in a host": (n) => message(`Contact: <sip:a${"-".repeat(n)}>`),
    "escapes in a user": (n) => message(`Contact: <sip:${"%41".repeat(n / 3)}%@h>`),
    "headers of a URI": (n) => message(`Contact: <sip:h?${"a=&".repeat(n / 3)}>`),
    "a display name of tokens": (n) => message(`Contact: ${"a ".repeat(n / 2)}`),
    "a Call-ID of words": (n) =>
      utf8([...HEAD, "To: <sip:b@x.y>", `i: ${"a".repeat(n)}@`, "", ""].join("\r\n")),
    credentials: (n) => message(`Authorization: Digest ${"a=b,".repeat(n / 4)}`),
    "a bearer token": (n) => message(`Authorization: Bearer ${"a".repeat(n)} =`),
    warnings: (n) => message(`Warning: ${'399 a "x",'.repeat(n / 10)}`),
    "NUL octets": (n) => message(`X: ${"\0".repeat(n)}`),
    "carriage returns alone": (n) => utf8(`OPTIONS sip:x SIP/2.0\r\n${"\r".repeat(n)}`),
    "empty lines": (n) => utf8("\r\n".repeat(n / 2)),
  };
  it.each(Object.entries(kinds))("%s", (_, make) => {
    expect(
      growthOf((n) => {
        const bytes = make(n);
        return () => receive(bytes);
      }),
    ).toBeLessThan(10);
  });
});

describe("a stream of SIP messages", () => {
  it("that is sent octet by octet takes time and memory of the size of the message", () => {
    const whole = concat(message(`X: ${"y".repeat(20_000)}`, "l: 100000"), new Uint8Array(100_000));
    const bodies: number[] = [];
    let most = 0;
    const framer = new StreamFramer({ message: (bytes) => bodies.push(bytes.length) });
    for (let i = 0; i < whole.length; i++) {
      framer.push(whole.subarray(i, i + 1));
      most = Math.max(most, framer.held);
    }
    expect(bodies).toEqual([whole.length]);
    expect(most).toBeLessThanOrEqual(2 * whole.length);
    expect(framer.held).toBe(0);
  });

  it("with several keep-alives in one piece is answered once", () => {
    let pongs = 0;
    const framer = new StreamFramer({ message: () => expect.unreachable(), ping: () => pongs++ });
    framer.push(utf8("\r\n\r\n".repeat(16_000)));
    expect(pongs).toBe(1);
  });

  it("gives the head of a message whose body is above the limit, before any of the body", () => {
    const heads: number[] = [];
    const framer = new StreamFramer({
      message: () => expect.unreachable(),
      tooLarge: (head) => heads.push(head.length),
    });
    const head = message(`l: ${DEFAULT_LIMITS.body + 1}`);
    expect(() => framer.push(head)).toThrow(MikeySakkeError);
    expect(heads).toEqual([head.length]);
  });
});

describe("the progress of a WebSocket message", () => {
  const MASK = [1, 2, 3, 4];
  const frame = (first: number, payload: number) =>
    Uint8Array.from([first, 0x80 | payload, ...MASK, ...Array(payload).fill(0)]);

  it("is pending between its fragments, whatever pings come in between", () => {
    const progress = new WebSocketProgress();
    expect(progress.push(frame(0x01, 5))).toBe(false);
    expect(progress.pending).toBe(true);
    expect(progress.push(frame(0x89, 3))).toBe(false);
    expect(progress.pending).toBe(true);
    expect(progress.push(frame(0x80, 5))).toBe(true);
    expect([progress.pending, progress.held]).toEqual([false, 0]);
  });

  it("is the same however its octets are cut", () => {
    const stream = concat(
      frame(0x82, 9),
      Uint8Array.from([0x02, 0xfe, 0x01, 0x00, ...MASK, ...Array(256).fill(7)]),
      frame(0x80, 0),
      Uint8Array.from([0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, ...MASK, ...Array(65_536).fill(7)]),
    );
    for (const size of [1, 2, 3, 7, 1000, stream.length]) {
      const progress = new WebSocketProgress();
      let pendingAfter = 0;
      for (let at = 0; at < stream.length; at += size) {
        progress.push(stream.subarray(at, at + size));
        if (progress.pending) pendingAfter = at + size;
      }
      expect(progress.pending).toBe(false);
      expect(pendingAfter).toBeLessThan(stream.length);
    }
  });

  it("counts memory for each piece, so that fragments of one octet are not free", () => {
    const progress = new WebSocketProgress();
    progress.push(frame(0x02, 1));
    for (let i = 0; i < 100; i++) progress.push(frame(0x00, 1));
    expect(progress.held).toBeGreaterThan(100 * 512);
  });
});

describe("the answer to a SIP request", () => {
  const ATTACKER = { host: "10.0.0.9", port: 39_999 };
  const SERVER = { host: "10.0.0.2", port: 5060 };

  async function answersTo(via: string, kind: "UDP" | "TCP", act?: (cut: () => void) => void) {
    const clock = new VirtualClock();
    const network = new Network(clock);
    const server = createSipEndpoint({
      transports: [network.udp(SERVER), network.stream("TCP", SERVER)],
      clock,
      random: (length) => new Uint8Array(length).fill(7),
    });
    await server.start();
    let answer = () => {};
    server.onRequest(
      "MESSAGE",
      () =>
        new Promise((resolve) => {
          answer = () => resolve({ status: 401 });
        }),
    );
    const attacker = kind === "UDP" ? network.udp(ATTACKER) : network.stream("TCP", ATTACKER, false);
    await attacker.start({ message: () => undefined, closed: () => undefined });
    const flow = await attacker.connect(SERVER);
    const bytes = message().length > 0 ? new TextDecoder().decode(message()) : "";
    const text = bytes.replaceAll("OPTIONS", "MESSAGE").replace(/Via: [^\r]*/, `Via: ${via}`);
    await flow.send(utf8(kind === "TCP" ? text.replace("\r\n\r\n", "\r\nl: 0\r\n\r\n") : text));
    await clock.pass(10);
    act?.(() => flow.close());
    answer();
    await clock.pass(1000);
    await settle();
    const answers = network.seen.filter(
      ({ from }) => from !== "10.0.0.9:39999" && !from.startsWith("10.0.0.9"),
    );
    await server.close();
    return answers.map(({ to, text }) => [to.replace(/:4\d{4}$/, ":port"), text.slice(0, 11)]);
  }

  it("in a datagram goes to its source, whatever maddr, received and the host of its Via say", async () => {
    const via = "SIP/2.0/UDP 10.0.0.66:39999;branch=z9hG4bK1;maddr=10.0.0.77;received=10.0.0.88";
    expect(await answersTo(via, "UDP")).toEqual([["10.0.0.9:39999", "SIP/2.0 401"]]);
    expect(await answersTo(`${via};rport`, "UDP")).toEqual([["10.0.0.9:39999", "SIP/2.0 401"]]);
  });

  it("on a connection goes back on that connection only, whatever its Via says", async () => {
    const via = "SIP/2.0/TCP 10.0.0.66:39998;branch=z9hG4bK1;maddr=10.0.0.77";
    expect(await answersTo(via, "TCP")).toEqual([["10.0.0.9:port", "SIP/2.0 401"]]);
  });

  it("is dropped when its connection is gone: none is opened to the host of the Via", async () => {
    const via = "SIP/2.0/TCP 10.0.0.66:39998;branch=z9hG4bK1;maddr=10.0.0.77";
    expect(await answersTo(via, "TCP", (cut) => cut())).toEqual([]);
  });
});

describe("names of Object.prototype", () => {
  const NAMES = ["constructor", "__proto__", "toString", "hasOwnProperty", "valueOf"];

  it.each(NAMES)("%s is a header, a parameter and a word like any other", (name) => {
    const parsed = parseMessage(
      message(
        `${name}: 1`,
        `Event: ${name};${name}=${name}`,
        `Supported: ${name}`,
        `Contact: <sip:a@h;${name}=${name}>`,
      ),
    );
    expect(parsed.headers.texts(name)).toEqual(["1"]);
    expect([...parsed.headers].map(([header]) => header)).toContain(name);
    expect(parsed.headers.get(VIA)?.host).toBe("10.0.0.9");
    expect(new Headers().append(name, "x").has(name)).toBe(true);
  });
});
