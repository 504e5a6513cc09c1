/** Hostile inputs come again by their seed and number. */
import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { utf8 } from "../../base/bytes.ts";
import { writeMultipart } from "../../documents/group-xml/index.ts";
import { Draw } from "./inputs/draw.ts";
import { type HostileInput, inputAt } from "./inputs/index.ts";
import { joinParts } from "./inputs/sip-text.ts";
import { loadStock, type StockFile } from "./stock.ts";

const base64 = (octets: Uint8Array) => Buffer.from(octets).toString("base64");
const body = writeMultipart([{ contentType: "application/xml", body: utf8("<a>b</a>") }]);
const message = joinParts({
  head: [
    "MESSAGE sip:mcx@example.org SIP/2.0",
    "Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1",
    "From: <sip:alice@example.org>;tag=1",
    "To: <sip:mcx@example.org>",
    "Call-ID: 1",
    "CSeq: 1 MESSAGE",
    "Contact: <sip:127.0.0.1:5060>",
    `Content-Type: ${body.contentType}`,
    `Content-Length: ${body.body.length}`,
  ].join("\r\n"),
  body: body.body,
});
const tokens = { kms: "a.b.c", gms: "d.e.f", mcx: "g.h.i" };
const FILE: StockFile = {
  sip: { gms: [base64(message)], mcx: [base64(message)], client: [base64(message)] },
  http: {
    kms: [{ method: "POST", path: "/k", headers: { accept: "x" }, body: "<a/>" }],
    xcap: [{ method: "GET", path: "/x", headers: {}, body: "" }],
  },
  media: [base64(new Draw("media").octets(80))],
  floor: [base64(new Draw("floor").octets(60))],
  places: {},
  thirdParty: { host: "127.0.0.9", port: 9 },
  tokens: { outsider: tokens, expired: tokens, forged: tokens },
};
const COUNT = 2000;

const made = (seed: string): HostileInput[] => {
  const stock = loadStock(FILE);
  return Array.from({ length: COUNT }, (_, index) => inputAt(seed, index, stock));
};

/** Some of them are long. */
const digests = (inputs: readonly HostileInput[]) =>
  inputs.map(
    ({ kind, channel, place, octets, slowly = new Uint8Array(0) }) =>
      `${kind} ${channel} ${place} ${createHash("sha256").update(octets).update(slowly).digest("hex")}`,
  );

it("the same seed makes the same hostile inputs, and another seed makes others", () => {
  const one = digests(made("1"));
  expect(digests(made("1"))).toEqual(one);
  expect(digests(made("2")).filter((digest, i) => digest !== one[i]).length).toBeGreaterThan(COUNT / 2);
});

it("a hostile input depends on its number alone, whatever was made before it", () => {
  const stock = loadStock(FILE);
  expect(digests([inputAt("1", 77, stock)])).toEqual([digests(made("1"))[77]]);
});

it("hostile inputs use every channel, and include those that once stopped a server", () => {
  const inputs = made("1");
  expect(new Set(inputs.map(({ channel }) => channel)).size).toBe(20);
  const known = new Set(inputs.map(({ kind }) => kind).filter((kind) => kind.startsWith("known: ")));
  expect(known.size).toBeGreaterThan(5);
  expect(inputs.some(({ slowly }) => slowly !== undefined)).toBe(true);
});
