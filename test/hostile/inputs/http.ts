/** HTTP requests to the KMS, to XCAP and to the listeners for operators: paths, tokens, bodies, and framing that cheats. */
import { toHex } from "../../../base/bytes.ts";
import type { HttpChannel, RecordedHttp, Stock } from "../stock.ts";
import type { Draw } from "./draw.ts";
import { anyChange, BOUNDARY_NUMBERS, flip } from "./octets.ts";
import { changedXml } from "./xml.ts";

const PATHS = [
  "/",
  "/keymanagement/identity/v1/init",
  "/keymanagement/identity/v1/keyprov",
  "/keymanagement/identity/v1/../../x",
  "/xcap/org.openmobilealliance.groups/global/byGroupID/",
  "/xcap/org.3gpp.MCPTT-GKTP/users/sip:a@b/gktp.xml",
  "/xcap/xcap-caps/global/index",
  "/xcap/%",
  "/xcap/%00",
  "/xcap/..%2f..%2fetc/passwd",
  "/health/ready",
  "/metrics",
  "/gms/v1/groups",
  "/kms/v1/users",
  "/mcx/v1/clients",
  "/openapi.json",
  `/${"a".repeat(9000)}`,
  "/__proto__",
  "*",
];

function octetsOf(head: readonly string[], body: Uint8Array): Uint8Array {
  return Uint8Array.from(Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`, "latin1"), body]));
}

/** Draws a request target, some of them in the form for proxies. */
function pathOf(draw: Draw, { thirdParty: { host, port } }: Stock): string {
  return draw.pick([...PATHS, `http://${host}:${port}/`, `//${host}:${port}/`]);
}

function requestOf(draw: Draw, stock: Stock, channel: HttpChannel): RecordedHttp {
  if (channel === "kms") return draw.pick(stock.http.kms);
  if (channel === "xcap") return draw.pick(stock.http.xcap);
  return { method: "GET", path: pathOf(draw, stock), headers: {}, body: "" };
}

/** Tokens of whoever asked honestly are on no wire, as HTTP is inside TLS: an attacker has others. */
function tokenOf(draw: Draw, stock: Stock, channel: HttpChannel): string {
  const own = channel === "kms" ? "kms" : "gms";
  const service = draw.chance(3, 4) ? own : draw.pick(["kms", "gms", "mcx"] as const);
  const token = stock.tokens[draw.pick(["outsider", "expired", "forged"] as const)][service];
  return draw.chance(1, 4)
    ? Buffer.from(flip(draw, Buffer.from(token)))
        .toString("latin1")
        .replace(/[\r\n]/g, ".")
    : token;
}

export function changedHttp(
  draw: Draw,
  stock: Stock,
  channel: HttpChannel,
): { kind: string; octets: Uint8Array } {
  const request = requestOf(draw, stock, channel);
  const elsewhere = `${stock.thirdParty.host}:${stock.thirdParty.port}`;
  const method = draw.chance(1, 6)
    ? draw.pick(["GET", "PUT", "DELETE", "POST", "PATCH", "TRACE", "CONNECT", "OPTIONS", "HEAD", "X"])
    : request.method;
  const kept = Object.entries(request.headers)
    .filter(([name]) => !/^(?:authorization|content-length|host|connection)$/i.test(name))
    .map(([name, value]) => `${name}: ${value}`);
  const head = (path: string, length: number) => [
    `${method} ${path} HTTP/1.1`,
    "Host: localhost",
    ...(draw.chance(9, 10) ? [`Authorization: Bearer ${tokenOf(draw, stock, channel)}`] : []),
    ...kept,
    `Content-Length: ${length}`,
  ];
  const plain = new Uint8Array(Buffer.from(request.body));
  const { length } = plain;
  switch (draw.below(9)) {
    case 0:
      return { kind: "http token", octets: octetsOf(head(request.path, length), plain) };
    case 1: {
      const path = draw.chance(1, 2)
        ? pathOf(draw, stock)
        : Buffer.from(flip(draw, Buffer.from(request.path)))
            .toString("latin1")
            .replace(/[\r\n ]/g, "%20");
      return { kind: "http path", octets: octetsOf(head(path, length), plain) };
    }
    case 2: {
      const body = changedXml(draw, draw.pick(stock.xml), draw.pick(stock.xml), elsewhere);
      return { kind: "http xml", octets: octetsOf(head(request.path, body.length), body) };
    }
    case 3: {
      // Two framings of one message (RFC 9112 11.2).
      const lines = head(request.path, length);
      const inner = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
      const cheats = [
        ["Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
        ["Transfer-Encoding : chunked"],
        ["Transfer-Encoding:\x0bchunked"],
        ["Content-Length: 0"],
        [`Content-Length: ${draw.pick(BOUNDARY_NUMBERS)}`],
        ["Host: a", "Host: b"],
        ["Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAA"],
        [
          "Upgrade: websocket",
          "Connection: Upgrade",
          "Sec-WebSocket-Version: 13",
          "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        ],
        ["Expect: 100-continue"],
      ];
      const body = Buffer.from(
        draw.pick([`0\r\n\r\n${inner}`, `ffffffffffffffff\r\n${inner}`, `5\r\nabc\r\n0\r\n\r\n`, inner]),
      );
      return { kind: "http smuggling", octets: octetsOf([...lines, ...draw.pick(cheats)], body) };
    }
    case 4:
      return { kind: "http flip", octets: flip(draw, octetsOf(head(request.path, length), plain)) };
    case 5: {
      const lines = head(request.path, length);
      const name = draw.pick([
        "Accept",
        "If-Match",
        "If-None-Match",
        "Content-Type",
        "Cookie",
        "X",
        "__proto__",
        "Origin",
        "Host",
        "Range",
      ]);
      lines.push(
        `${name}: ${draw.pick(["", "*", '"', "a".repeat(draw.pick([100, 7000, 20_000])), "\x80", '"1","2"', 'W/"1"', "bytes=0-0,1-", "multipart/mixed"])}`,
      );
      return { kind: "http header", octets: octetsOf(lines, plain) };
    }
    case 6: {
      const other = new Uint8Array(Buffer.from(draw.pick(stock.http.kms).body));
      const body = anyChange(draw, plain.length > 0 ? plain : other, other);
      return { kind: "http body", octets: octetsOf(head(request.path, body.length), body) };
    }
    case 7: {
      const lines = head(request.path, length).map((line) =>
        line.startsWith("Content-Length") ? `Content-Length: ${draw.pick(BOUNDARY_NUMBERS)}` : line,
      );
      return { kind: "http boundary number", octets: octetsOf(lines, plain) };
    }
    default: {
      // A guess at another user's document, and at the id of a group.
      const guess = draw.pick([
        `/xcap/org.3gpp.MCPTT-GKTP/users/${encodeURIComponent("sip:member1@example.org")}/gktp.xml`,
        `/xcap/org.openmobilealliance.groups/global/byGroupID/${encodeURIComponent(`sip:${toHex(draw.octets(3))}@example.org`)}`,
      ]);
      return { kind: "http guess", octets: octetsOf(head(guess, length), plain) };
    }
  }
}
