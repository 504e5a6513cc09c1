import { sha256 } from "@noble/hashes/sha2.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concat, utf8 } from "../../../base/bytes.ts";
import { systemRandom } from "../../../base/random.ts";
import { errorCode, flip } from "../../support/error-code.ts";
import { productionGmk, rfc6508 } from "../../support/vectors.ts";
import type { Affine } from "./curve.ts";
import { toInteger } from "./field.ts";
import { SAKKE } from "./params.ts";
import * as sakke from "./sakke.ts";

const octets = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength });

describe("the reference of HashToIntegerRange", () => {
  it("takes one hash for a range of 2^256 and less", () => {
    const s = utf8("s");
    const v1 = toInteger(sha256(concat(sha256(new Uint8Array(32)), sha256(s))));
    expect(sakke.hashToIntegerRange(s, 1n << 256n)).toBe(v1);
    expect(sakke.hashToIntegerRange(s, 1n << 128n)).toBe(BigInt.asUintN(128, v1));
    expect(sakke.hashToIntegerRange(s, (1n << 256n) + 1n) >> 8n).not.toBe(v1 >> 8n);
  });
});

describe("the reference of SAKKE", () => {
  const { Z, b, RSK, SED, SSV } = rfc6508().vectors;

  it("gives the receiver the SSV that was sent", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 2n, max: SAKKE.q / 2n }), octets(1, 32), octets(16, 16), (z, id, ssv) => {
        const zt = sakke.publicKeyOf(z);
        const rsk = sakke.issueRsk(z, id);
        expect(sakke.decapsulate(zt, id, rsk, sakke.encapsulate(zt, id, ssv))).toEqual(ssv);
      }),
      { numRuns: 4 },
    );
  });

  it("sets up a KMS whose keys are valid", () => {
    const { z, zt } = sakke.setUpKms(systemRandom);
    expect(z >= 2n && z < SAKKE.q).toBe(true);
    expect(sakke.validateRsk(zt, b, sakke.issueRsk(z, b))).toBe(true);
    expect(sakke.setUpKms((length) => new Uint8Array(length)).z).toBe(2n);
  });

  it("refuses to issue where a + z = 0 mod q", () => {
    expect(() => sakke.issueRsk(SAKKE.q - 5n, Uint8Array.of(5))).toThrow(new RangeError("not invertible"));
  });

  it("refuses keys of another identifier, another KMS, and no points", () => {
    const { kms, alice, gms } = productionGmk();
    expect(sakke.validateRsk(kms.zt, alice.uid, gms.rsk)).toBe(false);
    expect(sakke.validateRsk(kms.zt, b, RSK)).toBe(false);
    expect(sakke.validateRsk(Z, b, flip(RSK, 8 * 200))).toBe(false);
    expect(sakke.validateRsk(Z, b, RSK.subarray(1))).toBe(false);
    expect(errorCode(() => sakke.validateRsk(flip(Z, 8 * 200), b, RSK))).toBe("validation/BAD_POINT");
  });

  it("refuses changed data", () => {
    const refused = (sed: Uint8Array, id = b) => errorCode(() => sakke.decapsulate(Z, id, RSK, sed));
    const R = sakke.curve.decode(SED.subarray(0, 257));
    const withR = (point: Affine) => concat(sakke.curve.encode(point), SED.subarray(257));

    expect(sakke.decapsulate(Z, b, RSK, SED)).toEqual(SSV);
    expect(refused(flip(SED, 8 * 272))).toBe("verification/SAKKE_CHECK_FAILED");
    expect(refused(SED, flip(b, 0))).toBe("verification/SAKKE_CHECK_FAILED");
    expect(refused(withR(sakke.curve.negate(R)))).toBe("verification/SAKKE_CHECK_FAILED");
    expect(refused(withR(sakke.P))).toBe("verification/SAKKE_CHECK_FAILED");
    expect(refused(withR({ x: 0n, y: 0n }))).toBe("verification/SAKKE_CHECK_FAILED");
    expect(refused(flip(SED, 8 * 100))).toBe("validation/BAD_POINT");
    expect(refused(SED.subarray(1))).toBe("validation/BAD_SED");
  });

  it("refuses R plus the point of order 2, which the pairing alone would not", () => {
    const { curve } = sakke;
    const shifted = curve.addAffine(curve.fromAffine(curve.decode(SED.subarray(0, 257))), { x: 0n, y: 0n });
    const sed = concat(curve.encode(curve.toAffine(shifted)), SED.subarray(257));
    expect(errorCode(() => sakke.decapsulate(Z, b, RSK, sed))).toBe("verification/SAKKE_CHECK_FAILED");
  });
});
