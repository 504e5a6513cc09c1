import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toHex } from "../../../base/bytes.ts";
import type { CryptoSession, Hdr } from "../../../bindings/mikey/hdr.ts";
import {
  type ChainPayload,
  decodeMessage,
  encodeMessage,
  MAX_MESSAGE_BYTES,
} from "../../../bindings/mikey/message.ts";
import { productionGmk } from "../../support/vectors.ts";

const octet = fc.integer({ min: 0, max: 255 });
const bytes = (maxLength: number) => fc.uint8Array({ maxLength });

const session: fc.Arbitrary<CryptoSession> = fc.record({
  csId: octet,
  protType: octet,
  hasRoc: fc.boolean(),
  policies: fc.array(octet, { maxLength: 127 }),
  sessionData: bytes(20),
  spi: bytes(255),
});

const hdr: fc.Arbitrary<Hdr> = fc
  .record({
    version: octet,
    dataType: octet,
    v: fc.boolean(),
    prf: fc.integer({ min: 0, max: 127 }),
    csbId: fc.integer({ min: 0, max: 0xffffffff }),
    sessions: fc.array(session, { maxLength: 4 }),
  })
  .map((h) => ({ ...h, mapType: h.sessions.length === 0 ? 1 : 2, csCount: h.sessions.length }));

const payload: fc.Arbitrary<ChainPayload> = fc.oneof(
  fc.record({
    payload: fc.constant("T" as const),
    tsType: fc.constantFrom(0, 1),
    value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  }),
  fc.record({
    payload: fc.constant("T" as const),
    tsType: fc.constantFrom(2, 3),
    value: fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }),
  }),
  fc.record({ payload: fc.constant("RAND" as const), rand: bytes(255) }),
  fc.record({ payload: fc.constant("IDR" as const), role: octet, idType: octet, id: bytes(300) }),
  fc.record({
    payload: fc.constant("SP" as const),
    policyNo: octet,
    protType: octet,
    parameters: fc.array(fc.record({ type: octet, value: bytes(8) }), { maxLength: 8 }),
  }),
  fc.record({ payload: fc.constant("SAKKE" as const), params: octet, idScheme: octet, sed: bytes(300) }),
  fc.record({ payload: fc.constant("GENERAL_EXT" as const), type: octet, data: bytes(300) }),
);

const message = fc.record({
  hdr,
  payloads: fc.array(payload, { maxLength: 8 }),
  sign: fc.option(fc.record({ sType: fc.integer({ min: 0, max: 15 }), signature: bytes(200) })),
});

function chainOf(m: { payloads: ChainPayload[]; sign: { sType: number; signature: Uint8Array } | null }) {
  return m.sign === null ? m.payloads : [...m.payloads, { payload: "SIGN" as const, ...m.sign }];
}

describe("MIKEY message codec", () => {
  it("reads what it wrote", () => {
    fc.assert(
      fc.property(message, (m) => {
        const payloads = chainOf(m);
        const decoded = decodeMessage(encodeMessage(m.hdr, payloads));
        expect(decoded.hdr).toEqual(m.hdr);
        expect(decoded.payloads).toEqual(payloads);
      }),
    );
  });

  it("refuses every truncation and every octet too many, at an offset inside the message", () => {
    fc.assert(
      fc.property(message, fc.double({ min: 0, max: 1, noNaN: true }), (m, share) => {
        const octets = encodeMessage(m.hdr, chainOf(m));
        const cut = octets.subarray(0, Math.floor(share * (octets.length - 1)));
        const truncated = errorOf(() => decodeMessage(cut));
        expect(truncated.code).toBe("TRUNCATED");
        expect(truncated.offset).toBeLessThanOrEqual(cut.length);
        const longer = errorOf(() => decodeMessage(Uint8Array.of(...octets, 0)));
        expect(longer).toMatchObject({ code: "TRAILING_OCTETS", offset: octets.length });
      }),
    );
  });

  it("fails only with MikeySakkeError, whatever the octets are", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => {
        try {
          decodeMessage(octets);
        } catch (error) {
          expect(error).toMatchObject({ name: "MikeySakkeError", check: expect.any(Number) });
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("has a maximum size", () => {
    expect(errorOf(() => decodeMessage(new Uint8Array(MAX_MESSAGE_BYTES + 1))).code).toBe("MESSAGE_TOO_LONG");
    expect(errorOf(() => decodeMessage(new Uint8Array(101), 100)).code).toBe("MESSAGE_TOO_LONG");
    expect(errorOf(() => decodeMessage(new Uint8Array(100), 100)).code).not.toBe("MESSAGE_TOO_LONG");
  });

  it("does not write the SRTP-ID map", () => {
    const head = {
      version: 1,
      dataType: 26,
      v: false,
      prf: 1,
      csbId: 1,
      sessions: [],
      csCount: 0,
      mapType: 0,
    };
    expect(errorOf(() => encodeMessage(head, []))).toMatchObject({ kind: "usage", code: "READ_ONLY_MAP" });
  });
});

describe("the production message", () => {
  const { message: vector, gms, alice, kms } = productionGmk();

  it("is written again octet for octet", () => {
    const { hdr, payloads } = decodeMessage(vector.octets);
    expect(toHex(encodeMessage(hdr, payloads as ChainPayload[]))).toBe(toHex(vector.octets));
  });

  it("has the published fields", () => {
    const { hdr, payloads } = decodeMessage(vector.octets);
    expect(hdr).toMatchObject({
      version: 1,
      dataType: 26,
      v: false,
      prf: 1,
      csbId: 0x06a12aea,
      csCount: 1,
      mapType: 2,
    });
    expect(hdr.sessions[0]).toMatchObject({ csId: 4, protType: 0, policies: [0] });
    expect(toHex(hdr.sessions[0]!.spi)).toBe("0df9bc3906a12aea");
    expect(payloads.map((p) => p.payload)).toEqual([
      "T",
      "RAND",
      "IDR",
      "IDR",
      "IDR",
      "IDR",
      "SP",
      "SAKKE",
      "GENERAL_EXT",
      "SIGN",
    ]);
    const ids = payloads.flatMap((p) => (p.payload === "IDR" ? [[p.role, toHex(p.id)]] : []));
    const kmsUri = toHex(new TextEncoder().encode(kms.uri));
    expect(ids).toEqual([
      [8, toHex(gms.uid)],
      [9, toHex(alice.uid)],
      [6, kmsUri],
      [7, kmsUri],
    ]);
    const sp = payloads.find((p) => p.payload === "SP");
    const pairs = sp!.parameters.map((p) => [p.type, ...p.value]);
    expect(pairs).toEqual([
      [0, 6],
      [1, 16],
      [2, 4],
      [4, 12],
      [5, 0],
      [6, 0],
      [18, 4],
      [19, 0],
      [20, 16],
    ]);
  });
});

function errorOf(attempt: () => unknown): { kind: string; code: string; offset?: number } {
  try {
    attempt();
  } catch (error) {
    return error as { kind: string; code: string; offset?: number };
  }
  throw new Error("nothing was thrown");
}
