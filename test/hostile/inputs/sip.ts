/** SIP messages: recorded ones changed, and such as no client ever sent. */
import {
  MEDIA,
  mediaTypeOf,
  type Part,
  readMultipart,
  writeMultipart,
} from "../../../documents/group-xml/index.ts";
import type { Stock } from "../stock.ts";
import type { Draw } from "./draw.ts";
import { changedMikey } from "./mikey.ts";
import { anyChange, BOUNDARY_NUMBERS, flip, repeat, splice, truncate } from "./octets.ts";
import { editLines, joinParts, type MessageParts, messageParts, withBody } from "./sip-text.ts";
import { changedXml } from "./xml.ts";

export type SipServerName = "gms" | "mcx";
type Make = (draw: Draw, stock: Stock, server: SipServerName) => Uint8Array;

const recorded = (draw: Draw, stock: Stock, server: SipServerName) => draw.pick(stock.sip[server]);
const asText = (draw: Draw, stock: Stock, server: SipServerName) =>
  messageParts(recorded(draw, stock, server));

/** Changes branch, Call-ID and tags, so that the message belongs to another transaction and dialog. */
export function renamed(draw: Draw, parts: MessageParts): MessageParts {
  let { head } = parts;
  head = editLines(head, /^(?:Via|v) *:/i, (line) =>
    line.replace(/branch=[^;,\s]*/, `branch=z9hG4bK${draw.hex(8)}`),
  );
  if (draw.chance(5, 6)) head = editLines(head, /^(?:Call-ID|i) *:/i, () => `Call-ID: ${draw.hex(12)}`);
  if (draw.chance(1, 2))
    head = editLines(head, /^CSeq *:/i, (line) => line.replace(/\d+/, String(1 + draw.below(90_000))));
  if (draw.chance(1, 2))
    head = editLines(head, /^(?:From|f) *:/i, (line) => line.replace(/tag=[^;,\s]*/, `tag=${draw.hex(6)}`));
  if (draw.chance(1, 8)) head = editLines(head, /^(?:To|t) *:/i, (line) => `${line};tag=${draw.hex(6)}`);
  return { ...parts, head };
}

/** Addresses that answers and requests could be sent to. */
function toThirdParty(draw: Draw, stock: Stock, { head, body }: MessageParts): MessageParts {
  const { host, port } = stock.thirdParty;
  const uri = `<sip:x@${host}:${port}${draw.pick(["", ";transport=tcp", ";transport=udp", `;maddr=${host}`])}>`;
  const via = (line: string) =>
    draw.pick([
      `${line};maddr=${host}`,
      `${line};received=${host};rport=${port}`,
      line.replace(/(SIP\/2\.0\/\w+) [^;\s]+/, `$1 ${host}:${port}`),
      `${line.replace(/(SIP\/2\.0\/\w+) [^;\s]+/, `$1 x.invalid:${port}`)};maddr=${host}`,
    ]);
  let changed = editLines(head, /^(?:Via|v) *:/i, via);
  if (draw.chance(1, 2)) changed = editLines(changed, /^(?:Contact|m) *:/i, () => `Contact: ${uri}`);
  if (draw.chance(1, 3))
    changed = `${changed}\r\n${draw.pick(["Route", "Record-Route", "Path"])}: ${uri.replace(">", ";lr>")}`;
  const text = Buffer.from(body).toString("latin1");
  const pointed = text
    .replace(/c=IN IP4 [\d.]+/g, `c=IN IP4 ${host}`)
    .replace(/m=(\w+) \d+/g, `m=$1 ${port}`);
  return withBody({ head: changed, body }, new Uint8Array(Buffer.from(pointed, "latin1")));
}

/** Another token in place of the one there, or of none. */
function withToken({ head, body }: MessageParts, token: string): MessageParts {
  const lines = head.split("\r\n").filter((line) => !/^Authorization *:/i.test(line));
  return { head: [...lines, `Authorization: Bearer ${token}`].join("\r\n"), body };
}

/** One part of the body is another. */
function withChangedBody(draw: Draw, stock: Stock, parts: MessageParts): MessageParts {
  const contentType = /^(?:Content-Type|c) *: *(.*)$/im.exec(parts.head)?.[1]?.trim() ?? "";
  if (!contentType.startsWith("multipart/")) {
    const type = mediaTypeOf(contentType);
    return withBody(parts, changedPart(draw, stock, type, parts.body));
  }
  if (draw.chance(1, 5)) return withBody(parts, anyChange(draw, parts.body, draw.pick(stock.xml)));
  const all: Part[] = readMultipart(contentType, parts.body);
  const at = draw.below(all.length);
  if (draw.chance(1, 8)) all.splice(at, 1, ...(draw.chance(1, 2) ? [] : [all[at]!, all[at]!]));
  else
    all[at] = {
      ...all[at]!,
      body: changedPart(draw, stock, mediaTypeOf(all[at]!.contentType), all[at]!.body),
    };
  if (all.length === 0) return withBody(parts, new Uint8Array(0));
  const written = writeMultipart(all);
  return withBody(parts, written.body, written.contentType);
}

function changedPart(draw: Draw, stock: Stock, type: string, body: Uint8Array): Uint8Array {
  if (type === MEDIA.mikey) return changedMikey(draw, body, draw.pick(stock.mikey));
  const text = Buffer.from(body).toString("latin1");
  // One character of a signature or of what is encrypted.
  const sealed = /<(?:\w+:)?(?:SignatureValue|DigestValue|CipherValue)>([^<]+)</.exec(text);
  if (sealed !== null && draw.chance(1, 2)) {
    const at = sealed.index + sealed[0].indexOf(">") + 1 + draw.below(sealed[1]!.length);
    const changed = text.slice(0, at) + draw.pick([..."ABCDwxyz0189+/="]) + text.slice(at + 1);
    return new Uint8Array(Buffer.from(changed, "latin1"));
  }
  if (type.endsWith("xml"))
    return changedXml(draw, body, draw.pick(stock.xml), `${stock.thirdParty.host}:${stock.thirdParty.port}`);
  return anyChange(draw, body, draw.pick(stock.xml));
}

const METHODS = [
  "OPTIONS",
  "SUBSCRIBE",
  "NOTIFY",
  "PUBLISH",
  "MESSAGE",
  "INVITE",
  "ACK",
  "BYE",
  "CANCEL",
  "INFO",
  "REGISTER",
  "UPDATE",
  "REFER",
  "PRACK",
  "options",
  "X",
];
const NAMES = [
  "constructor",
  "__proto__",
  "toString",
  "X",
  "Via",
  "v",
  "Route",
  "Record-Route",
  "Contact",
  "m",
  "Event",
  "o",
  "Expires",
  "Accept",
  "Require",
  "Proxy-Require",
  "Supported",
  "k",
  "Content-Length",
  "l",
  "Content-Type",
  "c",
  "Content-Encoding",
  "Authorization",
  "Proxy-Authorization",
  "Warning",
  "Retry-After",
  "Date",
  "Subscription-State",
  "SIP-If-Match",
  "Call-ID",
  "i",
  "CSeq",
  "Max-Forwards",
  "From",
  "To",
];
const VALUES = [
  "",
  "*",
  ";",
  ",",
  ",,,,",
  "<",
  "<>",
  "<sip:>",
  '"',
  '"\\',
  "sip:a",
  "<sip:a@b>;tag=",
  "<sip:a@[::1]>",
  "<sip:a@[::1>",
  "a;b;b=c;=",
  "active;expires=99999999999",
  "xcap-diff",
  "poc-settings",
  "Bearer",
  "Bearer ",
  "Digest realm=",
  "multipart/mixed;boundary=",
  "1 INVITE",
  "4294967296 X",
  "SIP/2.0/UDP [",
  "z9hG4bK",
  "\u2028".repeat(3),
  "\0",
  "\x7f",
  "é",
  "%00",
  "%",
  "a@b@c",
];

/** A request after the grammar, with a few values that are not. */
function generated(draw: Draw, stock: Stock, server: SipServerName): Uint8Array {
  const { host, port } = stock.thirdParty;
  const lines = [
    `${draw.pick(METHODS)} ${draw.pick(["sip:x", "sip:x@127.0.0.1", "sips:x", "tel:1", `sip:${host}:${port}`, "*", "<sip:x>"])} ${draw.pick(["SIP/2.0", "SIP/2.0", "SIP/2.0", "SIP/7.0", "HTTP/1.1"])}`,
    `Via: SIP/2.0/${draw.pick(["UDP", "TCP", "TLS", "WS", "SCTP"])} ${draw.pick(["127.0.0.1", "x.invalid", host])};branch=${draw.pick(["z9hG4bK", ""])}${draw.hex(6)}${draw.pick(["", ";rport"])}`,
    `From: <sip:${draw.pick(["mallory", "alice", "%61"])}@example.org>;tag=${draw.hex(4)}`,
    `To: <sip:${server}@${server}.localhost>`,
    `Call-ID: ${draw.hex(8)}`,
    `CSeq: ${1 + draw.below(100)} ${draw.pick(METHODS)}`,
    "Max-Forwards: 70",
  ];
  for (let left = draw.below(12); left > 0; left--) {
    const value = draw.pick([...VALUES, ...BOUNDARY_NUMBERS]);
    const line = `${draw.pick(NAMES)}${draw.pick([":", ": ", " : ", "\t:\t", ""])}${value}`;
    lines.splice(1 + draw.below(lines.length), draw.below(2), line);
  }
  if (draw.chance(1, 6))
    lines.push(`X: a${draw.pick(["\r\n ", "\r\n\t"])}${"b\r\n ".repeat(draw.below(300))}`);
  const body = draw.chance(1, 2)
    ? new Uint8Array(0)
    : anyChange(draw, draw.pick(stock.xml), draw.pick(stock.xml));
  if (draw.chance(9, 10))
    lines.push(`Content-Length: ${draw.chance(1, 8) ? draw.pick(BOUNDARY_NUMBERS) : body.length}`);
  return Uint8Array.from(
    Buffer.concat([Buffer.from(`${lines.join(draw.chance(1, 20) ? "\n" : "\r\n")}\r\n\r\n`, "utf8"), body]),
  );
}

/** The mutations by name, with how often each is made. */
export const SIP_KINDS: readonly { readonly name: string; readonly weight: number; readonly make: Make }[] = [
  { name: "sip flip", weight: 8, make: (draw, stock, server) => flip(draw, recorded(draw, stock, server)) },
  {
    name: "sip truncate",
    weight: 4,
    make: (draw, stock, server) => truncate(draw, recorded(draw, stock, server)),
  },
  {
    name: "sip splice",
    weight: 6,
    make: (draw, stock, server) =>
      splice(draw, recorded(draw, stock, server), recorded(draw, stock, draw.pick(["gms", "mcx"]))),
  },
  {
    name: "sip repeat",
    weight: 3,
    make: (draw, stock, server) => repeat(draw, recorded(draw, stock, server)),
  },
  {
    name: "sip boundary number",
    weight: 6,
    make(draw, stock, server) {
      const { head, body } = renamed(draw, asText(draw, stock, server));
      const numbers = head.match(/\d+/g)?.length ?? 0;
      let at = draw.below(numbers);
      return joinParts({
        head: head.replace(/\d+/g, (number) => (at-- === 0 ? draw.pick(BOUNDARY_NUMBERS) : number)),
        body,
      });
    },
  },
  {
    name: "sip long field",
    weight: 2,
    make(draw, stock, server) {
      const { head, body } = renamed(draw, asText(draw, stock, server));
      const lines = head.split("\r\n");
      const length = draw.pick([200, 2000, 8000, 31_000, 33_000, 60_000]);
      lines[draw.below(lines.length)] += draw
        .pick(["a", " ", ";a", ",<sip:a>", "\t", '"', "\\", "%41", "\u00e2\u0080\u00a8"])
        .repeat(length)
        .slice(0, length);
      return joinParts({ head: lines.join("\r\n"), body });
    },
  },
  {
    name: "sip header twice",
    weight: 4,
    make(draw, stock, server) {
      const { head, body } = renamed(draw, asText(draw, stock, server));
      const lines = head.split("\r\n");
      const line = lines[1 + draw.below(lines.length - 1)]!;
      lines.splice(
        1 + draw.below(lines.length - 1),
        0,
        ...Array.from({ length: draw.pick([1, 1, 1, 150, 300]) }, () => line),
      );
      return joinParts({ head: lines.join("\r\n"), body });
    },
  },
  { name: "sip generated", weight: 14, make: generated },
  { name: "sip replay", weight: 6, make: recorded },
  {
    name: "sip replay renamed",
    weight: 10,
    make: (draw, stock, server) => joinParts(renamed(draw, asText(draw, stock, server))),
  },
  {
    name: "sip third party",
    weight: 10,
    make: (draw, stock, server) =>
      joinParts(toThirdParty(draw, stock, renamed(draw, asText(draw, stock, server)))),
  },
  {
    name: "sip token",
    weight: 8,
    make(draw, stock, server) {
      const kind = draw.pick(["outsider", "expired", "forged"] as const);
      const token =
        stock.tokens[kind][draw.chance(3, 4) ? server : draw.pick(["kms", "gms", "mcx"] as const)];
      const spoilt = draw.chance(1, 3)
        ? Buffer.from(flip(draw, Buffer.from(token)))
            .toString("latin1")
            .replace(/[\r\n]/g, ".")
        : token;
      return joinParts(withToken(renamed(draw, asText(draw, stock, server)), spoilt));
    },
  },
  {
    name: "sip body",
    weight: 14,
    make: (draw, stock, server) =>
      joinParts(withChangedBody(draw, stock, renamed(draw, asText(draw, stock, server)))),
  },
  {
    name: "sip of another server",
    weight: 3,
    make: (draw, stock, server) =>
      joinParts(renamed(draw, asText(draw, stock, server === "gms" ? "mcx" : "gms"))),
  },
];
