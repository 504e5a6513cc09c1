/** The resolver of Node.js, against a DNS server of a few lines. */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { SipResolver } from "../../transport/sip/index.ts";
import { dnsResolver } from "../../transport/sip/index-node.ts";

const [A, SRV, NAPTR] = [1, 33, 35];
const u16 = (value: number) => [value >> 8, value & 255];
const text = (value: string) => [value.length, ...new TextEncoder().encode(value)];
const name = (value: string) => [...value.split(".").flatMap(text), 0];

/** Type and data of the records of a name. */
const RECORDS: Readonly<Record<string, readonly (readonly [number, readonly number[]])[]>> = {
  "home.example": [
    [
      NAPTR,
      [
        ...u16(50),
        ...u16(10),
        ...text("s"),
        ...text("SIPS+D2T"),
        ...text(""),
        ...name("_sips._tcp.home.example"),
      ],
    ],
    [NAPTR, [...u16(10), ...u16(1), ...text("u"), ...text("E2U+sip"), ...text("!^.*$!sip:x@y!"), 0]],
  ],
  "_sips._tcp.home.example": [[SRV, [...u16(1), ...u16(20), ...u16(5061), ...name("a.home.example")]]],
  "a.home.example": [
    [A, [192, 0, 2, 1]],
    [A, [192, 0, 2, 2]],
  ],
};

let server: Socket;
let resolver: SipResolver;
let isSilent: boolean;
beforeEach(async () => {
  isSilent = false;
  server = createSocket("udp4");
  server.on("message", (query, { port, address }) => {
    if (!isSilent) server.send(answerTo(query), port, address);
  });
  server.bind(0, "127.0.0.1");
  await once(server, "listening");
  resolver = dnsResolver({ servers: [`127.0.0.1:${server.address().port}`] });
});
afterEach(() => server.close());

function answerTo(query: Buffer): Uint8Array {
  const labels: string[] = [];
  let at = 12;
  for (; query[at] !== 0; at += query[at]! + 1)
    labels.push(query.toString("latin1", at + 1, at + 1 + query[at]!));
  const question = query.subarray(12, at + 5);
  const type = query.readUInt16BE(at + 1);
  const known = RECORDS[labels.join(".").toLowerCase()];
  const found = (known ?? []).filter(([of]) => of === type);
  // The name of each record points back to the question (RFC 1035 4.1.4).
  const records = found.flatMap(([of, data]) => [
    0xc0,
    12,
    ...u16(of),
    ...u16(1),
    0,
    0,
    0,
    60,
    ...u16(data.length),
    ...data,
  ]);
  const status = known === undefined ? 3 : 0;
  const head = [...query.subarray(0, 2), 0x81, 0x80 | status, 0, 1, ...u16(found.length), 0, 0, 0, 0];
  return Uint8Array.from([...head, ...question, ...records]);
}

it("NAPTR records that lead to SRV records are found, and others left out", async () => {
  expect(await resolver.naptr("home.example")).toEqual([
    { order: 50, preference: 10, service: "SIPS+D2T", replacement: "_sips._tcp.home.example" },
  ]);
});

it("SRV records and addresses are found", async () => {
  expect(await resolver.srv("_sips._tcp.home.example")).toEqual([
    { priority: 1, weight: 20, port: 5061, target: "a.home.example" },
  ]);
  expect([...(await resolver.addresses("a.home.example"))].sort()).toEqual(["192.0.2.1", "192.0.2.2"]);
});

it("a name without records of that kind, or that does not exist, has none", async () => {
  expect(await resolver.srv("a.home.example")).toEqual([]);
  expect(await resolver.naptr("nowhere.example")).toEqual([]);
  expect(await resolver.addresses("nowhere.example")).toEqual([]);
});

it("a silent DNS server is an error, not a name without records", async () => {
  isSilent = true;
  await expect(resolver.srv("_sips._tcp.home.example")).rejects.toMatchObject({ code: "ETIMEOUT" });
});

it("a resolver without servers of its own knows the names of this machine", async () => {
  expect(await dnsResolver().addresses("localhost")).toEqual(expect.arrayContaining(["127.0.0.1"]));
});
