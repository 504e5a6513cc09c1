import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concat, toHex, utf8 } from "../../../base/bytes.ts";
import { errorCode, flip } from "../../support/error-code.ts";
import { rfc6507 } from "../../support/vectors.ts";
import * as eccsi from "./eccsi.ts";
import { invert, mod, toInteger, toOctets } from "./field.ts";
import { P256 } from "./params.ts";

const scalar = fc.bigInt({ min: 1n, max: P256.q - 1n });
const octets = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength });

describe("the reference of ECCSI", () => {
  const { ID, KPAK, M, PVT, SSK, Sig } = rfc6507().vectors;

  it("verifies what was signed with an issued key", () => {
    fc.assert(
      fc.property(scalar, scalar, scalar, octets(1, 32), octets(0, 100), (ksak, v, j, id, message) => {
        const kpak = eccsi.kpakOf(ksak);
        const key = eccsi.issueSigningKey(ksak, id, v);
        expect(eccsi.validateSigningKey(kpak, id, key)).toBe(true);
        expect(eccsi.verify(kpak, id, message, eccsi.sign(kpak, id, key, message, j))).toBe(true);
      }),
      { numRuns: 10 },
    );
  });

  it("refuses a signature with any one bit changed, in it or in what it covers", () => {
    fc.assert(
      fc.property(fc.nat(8 * 129 - 1), fc.nat(8 * M.length - 1), fc.nat(8 * ID.length - 1), (s, m, i) => {
        expect(eccsi.verify(KPAK, ID, M, flip(Sig, s))).toBe(false);
        expect(eccsi.verify(KPAK, ID, flip(M, m), Sig)).toBe(false);
        expect(eccsi.verify(KPAK, flip(ID, i), M, Sig)).toBe(false);
      }),
      { numRuns: 20 },
    );
    expect(eccsi.verify(PVT, ID, M, Sig)).toBe(false);
    expect(errorCode(() => eccsi.verify(flip(KPAK, 500), ID, M, Sig))).toBe("validation/BAD_POINT");
  });

  it("refuses s = 0 mod q and wrong lengths", () => {
    const withS = (s: bigint) => concat(Sig.subarray(0, 32), toOctets(s, 32), PVT);
    expect(eccsi.verify(KPAK, ID, M, withS(0n))).toBe(false);
    expect(eccsi.verify(KPAK, ID, M, withS(P256.q))).toBe(false);
    expect(eccsi.verify(KPAK, ID, M, Sig.subarray(0, 128))).toBe(false);
    expect(eccsi.verify(KPAK, ID, M, concat(Sig, Uint8Array.of(0)))).toBe(false);
    // −s gives −J with the same x: ECCSI does not tell the two apart.
    expect(eccsi.verify(KPAK, ID, M, withS(P256.q - toInteger(Sig.subarray(32, 64))))).toBe(true);
  });

  it("refuses keys of another identifier and changed ones", () => {
    const valid = (ssk: Uint8Array, pvt: Uint8Array, id = ID) =>
      eccsi.validateSigningKey(KPAK, id, { ssk, pvt });
    expect(valid(SSK, PVT)).toBe(true);
    expect(valid(SSK, PVT, utf8("another"))).toBe(false);
    expect(valid(flip(SSK, 0), PVT)).toBe(false);
    expect(valid(SSK.subarray(1), PVT)).toBe(false);
    expect(valid(SSK, flip(PVT, 300))).toBe(false);
    expect(valid(SSK, KPAK)).toBe(false);
  });

  it("refuses the nonces of RFC 6507 5.1.1 and 5.2.1 that give zero", () => {
    // KSAK = −HS·v gives SSK = 0, but HS depends on KPAK: out of reach. HE + r·SSK = 0 is not, SSK is given here.
    const j = 7n;
    const r = toOctets(eccsi.curve.toAffine(eccsi.curve.multiply(j, eccsi.G)).x, 32);
    const he = toInteger(eccsi.hashOfMessage(eccsi.hashOfKey(KPAK, ID, PVT), r, M));
    const ssk = toOctets(mod(-he * invert(toInteger(r), P256.q), P256.q), 32);
    expect(() => eccsi.sign(KPAK, ID, { ssk, pvt: PVT }, M, j)).toThrow(new RangeError("HE + r SSK is zero"));
    expect(toHex(eccsi.sign(KPAK, ID, { ssk: SSK, pvt: PVT }, M, j))).toContain(toHex(r));
  });
});
