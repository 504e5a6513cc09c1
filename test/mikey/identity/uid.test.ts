import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex, toBase64, toHex } from "../../../base/bytes.ts";
import { keyPeriodNo } from "../../../bindings/identity/key-period.ts";
import { computeUid, shortestInteger } from "../../../bindings/identity/uid.ts";
import { productionGmk } from "../../support/vectors.ts";

const identity = { uri: "sip:user@example.org", kmsUri: "kms.example.org" };

describe("the UID (TS 33.180 F.2.1)", () => {
  it("of the example in F.2.1.2 is reproduced", () => {
    const rule = { period: 2592000, offset: 0 };
    const number = keyPeriodNo(3599719634, rule);
    expect(number).toBe(1388);
    const uid = computeUid({ ...identity, ...rule, keyPeriodNo: number });
    expect(toHex(uid)).toBe("3a81fb14c3b1d0fe43c9c577104d55a6d81788bfd2f09743c4557746a5a0353b");
    expect(toBase64(uid)).toBe("OoH7FMOx0P5DycV3EE1VptgXiL/S8JdDxFV3RqWgNTs=");
  });

  it.each([
    [2592000, 0, 1, "74e2af803ab5d72841bbced0ce319ffe64f6fe23c88a2d258aabcf6ac5658ef4"],
    [10, 0, 10, "94fb1a697c15d7e9d6b7062066affebda2d9e346e0090d67525c0c3ce666eafa"],
    [25920000, 100, 1, "3c0ad8828cfae1ad1d08b27cc7b61258c6cfcd405081b68cd778f1e1c7f562a7"],
    [25920000, 100, 2048, "c88b3fa5e36a08985d10f7b31a631b0265e8249f0312435e4984dbc3765c7f0c"],
    [25920000, 45920000, 20393844, "8dc05540167345538475101514f4eabd384abd6ba665782abb312ecaf05934e1"],
  ])("for period %i, offset %i, number %i is reproduced", (period, offset, number, expected) => {
    expect(toHex(computeUid({ ...identity, period, offset, keyPeriodNo: number }))).toBe(expected);
  });

  it("of the production key sets is their UserID", () => {
    const { kms, gms, alice } = productionGmk();
    const rule = { period: kms.userKeyPeriod, offset: kms.userKeyOffset };
    for (const { userUri, uid, keyPeriodNo } of [gms, alice]) {
      expect(toHex(computeUid({ uri: userUri, kmsUri: kms.uri, ...rule, keyPeriodNo }))).toBe(toHex(uid));
    }
  });
});

describe("the shortest integer (TS 33.220 B.2.1.3)", () => {
  it.each([
    [0, "00"],
    [1, "01"],
    [255, "ff"],
    [256, "0100"],
    [2592000, "278d00"],
    [2 ** 32, "0100000000"],
    [Number.MAX_SAFE_INTEGER, "1fffffffffffff"],
  ])("of %i has the octets of the clause", (value, hex) => {
    expect(toHex(shortestInteger(value))).toBe(hex);
  });

  it("has no leading zero and keeps the value", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        const octets = shortestInteger(value);
        expect(octets.length === 1 || octets[0] !== 0).toBe(true);
        expect(octets.reduce((sum, x) => sum * 256 + x, 0)).toBe(value);
      }),
    );
  });

  it("is refused for a number that is not natural", () => {
    for (const value of [-1, 0.5, Number.NaN, 2 ** 53]) {
      expect(() => shortestInteger(value)).toThrow(expect.objectContaining({ code: "BAD_INTEGER" }));
    }
  });
});

it("a UID changes with each of its inputs", () => {
  const base = { ...identity, period: 100, offset: 1, keyPeriodNo: 7 };
  const variants = [
    base,
    { ...base, uri: "sip:User@example.org" },
    { ...base, uri: "user@example.org" },
    { ...base, kmsUri: "kms.example.com" },
    { ...base, period: 101 },
    { ...base, offset: 2 },
    { ...base, keyPeriodNo: 8 },
  ].map((v) => toHex(computeUid(v)));
  expect(new Set(variants).size).toBe(variants.length);
  expect(fromHex(variants[0]!)).toHaveLength(32);
});
