/** Inputs that once stopped a server, filled its memory or made it send to others. Each comes again and again. */
import type { SipChannel, Stock } from "../stock.ts";
import type { Draw } from "./draw.ts";

export interface Known {
  readonly name: string;
  readonly octets: Uint8Array;
}

const text = (...lines: readonly string[]) =>
  new Uint8Array(Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "utf8"));
const PARAGRAPH = "\u2029";
const LINE = "\u2028";

/** Returns how many octets a channel takes as one message. */
function roomOf(channel: SipChannel): number {
  if (channel.endsWith("udp")) return 60_000;
  return channel.endsWith("ws") || channel.endsWith("wss") ? 1_000_000 : 32_000;
}

function request(draw: Draw, method: string, channel: SipChannel, ...more: readonly string[]): Uint8Array {
  const transport = channel.slice(4).toUpperCase();
  return text(
    `${method} sip:x SIP/2.0`,
    `Via: SIP/2.0/${transport} 127.0.0.1;branch=z9hG4bK${draw.hex(6)};rport`,
    `From: <sip:mallory@example.org>;tag=${draw.hex(4)}`,
    "To: <sip:x@example.org>",
    `Call-ID: ${draw.hex(8)}`,
    `CSeq: 1 ${method}`,
    "Max-Forwards: 70",
    ...more,
    "Content-Length: 0",
  );
}

export function knownInput(draw: Draw, stock: Stock, channel: SipChannel): Known {
  const room = roomOf(channel);
  const { host, port } = stock.thirdParty;
  const blanks = (end: string) => text("OPTIONS sip:x SIP/2.0", `X:${" ".repeat(room - 60)}${end}`);
  const made: readonly (() => Known)[] = [
    () => ({ name: "blanks and a line separator", octets: blanks(LINE) }),
    () => ({
      name: "tabs and a paragraph separator",
      octets: text("OPTIONS sip:x SIP/2.0", `X\t:${"\t".repeat(room - 60)}${PARAGRAPH}a`),
    }),
    () => ({ name: "commas", octets: request(draw, "OPTIONS", channel, `Contact: ${",".repeat(room / 2)}`) }),
    () => ({
      name: "open quotes",
      octets: request(draw, "OPTIONS", channel, `Contact: ${'"\\'.repeat(Math.floor(room / 4))}`),
    }),
    () => ({
      name: "labels of a host",
      octets: request(draw, "OPTIONS", channel, `Route: <sip:${"a.".repeat(Math.floor(room / 4))}>`),
    }),
    () => ({
      name: "hyphens in a host",
      octets: request(draw, "OPTIONS", channel, `Route: <sip:a${"-a".repeat(Math.floor(room / 4))}->`),
    }),
    () => ({
      name: "parameters",
      octets: request(draw, "OPTIONS", channel, `Event: a${";b=c".repeat(room / 5)};`),
    }),
    () => ({
      name: "an Accept of blanks",
      octets: request(draw, "SUBSCRIBE", channel, `Accept: a/b${" ".repeat(room / 2)}x`),
    }),
    () => ({
      name: "continuation lines",
      octets: request(draw, "OPTIONS", channel, `X: a${"\r\n ".repeat(Math.floor(room / 4))}`),
    }),
    () => ({
      name: "many short headers",
      octets: request(draw, "OPTIONS", channel, `a:${"\r\na:".repeat(Math.floor(room / 4))}`),
    }),
    () => ({
      name: "a header named as a property",
      octets: request(draw, "OPTIONS", channel, "constructor: a", "__proto__: b", "hasOwnProperty: c"),
    }),
    () => ({
      name: "maddr of a third party",
      octets: request(
        draw,
        "INVITE",
        channel,
        `Via: SIP/2.0/UDP ${host}:${port};maddr=${host};branch=z9hG4bKb`,
      ),
    }),
    () => ({
      name: "a long From",
      octets: request(draw, "SUBSCRIBE", channel, "Event: xcap-diff", `P-X: ${"a".repeat(room / 3)}`),
    }),
  ];
  return draw.pick(made)();
}
