/** The reference reproduces every published and derived value of RFC 6507, 6508 and 6509, and a production message. */
import { describe, expect, it } from "vitest";
import { concat, fromHex, toHex, utf8 } from "../../../base/bytes.ts";
import { productionGmk, rfc6507, rfc6508, rfc6509 } from "../../support/vectors.ts";
import * as eccsi from "../reference/eccsi.ts";
import { bitLength, invert, mod, power, toInteger, toOctets, wnaf } from "../reference/field.ts";
import { P256, SAKKE } from "../reference/params.ts";
import * as sakke from "../reference/sakke.ts";

/** RFC 6509 3.2: year and month, the telephone URI, each closed by a NUL octet. */
const ID = utf8("2011-02\0tel:+447700900123\0");

function hexOf(values: Record<string, Uint8Array>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, toHex(value)]));
}

/** The first primes as Miller–Rabin bases: an oracle for constants, not for hostile numbers. */
function isProbablePrime(n: bigint): boolean {
  let odd = n - 1n;
  let twos = 0;
  while (odd % 2n === 0n) {
    odd /= 2n;
    twos++;
  }
  return [2n, 3n, 5n, 7n, 11n].every((base) => {
    let x = power(base, odd, n);
    if (x === 1n) return true;
    for (let i = 0; i < twos; i++) {
      if (x === n - 1n) return true;
      x = mod(x * x, n);
    }
    return false;
  });
}

describe("the reference for RFC 6507 appendix A (ECCSI)", () => {
  it("has the published parameters", () => {
    const computed: Record<keyof ReturnType<typeof rfc6507>["parameters"], Uint8Array> = {
      p: toOctets(P256.p, 32),
      B: toOctets(P256.B, 32),
      q: toOctets(P256.q, 32),
      G: eccsi.curve.encode(eccsi.G),
    };
    expect(hexOf(computed)).toEqual(hexOf(rfc6507().parameters));
    expect(eccsi.curve.contains(eccsi.G)).toBe(true);
    expect(eccsi.curve.multiply(P256.q, eccsi.G).z).toBe(0n);
  });

  it("reproduces every value", () => {
    const { curve, G } = eccsi;
    const { q } = P256;
    const [ksak, v, j] = [0x12345n, 0x23456n, 0x34567n];
    const message = utf8("message\0");

    const kpak = eccsi.kpakOf(ksak);
    const key = eccsi.issueSigningKey(ksak, ID, v);
    const signature = eccsi.sign(kpak, ID, key, message, j);
    const hs = eccsi.hashOfKey(kpak, ID, key.pvt);
    const J = curve.toAffine(curve.multiply(j, G));
    const r = toOctets(J.x, 32);
    const he = eccsi.hashOfMessage(hs, r, message);
    const denominator = mod(toInteger(he) + J.x * toInteger(key.ssk), q);
    const pvtTimesHs = curve.multiply(toInteger(hs), curve.decode(key.pvt));

    const computed: Record<keyof ReturnType<typeof rfc6507>["vectors"], Uint8Array> = {
      KSAK: toOctets(ksak, 32),
      KPAK: kpak,
      ID,
      v: toOctets(v, 32),
      PVT: key.pvt,
      HS: hs,
      SSK: key.ssk,
      M: message,
      j: toOctets(j, 32),
      J: curve.encode(J),
      r,
      HE: he,
      HE_plus_r_SSK_mod_q: toOctets(denominator, 32),
      s_prime: toOctets(mod(invert(denominator, q) * j, q), 32),
      s: signature.subarray(32, 64),
      Sig: signature,
      Y: curve.encode(curve.toAffine(curve.addAffine(pvtTimesHs, curve.decode(kpak)))),
    };
    expect(hexOf(computed)).toEqual(hexOf(rfc6507().vectors));
  });

  it("accepts the published key and signature", () => {
    const { KPAK, ID: id, M, SSK, PVT, Sig } = rfc6507().vectors;
    expect(eccsi.validateSigningKey(KPAK, id, { ssk: SSK, pvt: PVT })).toBe(true);
    expect(eccsi.verify(KPAK, id, M, Sig)).toBe(true);
  });
});

describe("the reference for RFC 6508 appendix A (SAKKE)", () => {
  it("has the published parameters", () => {
    const computed: Record<keyof ReturnType<typeof rfc6508>["parameters"], Uint8Array> = {
      p: toOctets(SAKKE.p, 128),
      q: toOctets(SAKKE.q, 128),
      Px: toOctets(SAKKE.Px, 128),
      Py: toOctets(SAKKE.Py, 128),
      g: toOctets(sakke.pairing(sakke.P, sakke.P), 128),
    };
    expect(hexOf(computed)).toEqual(hexOf(rfc6508().parameters));
    expect(sakke.curve.contains(sakke.P)).toBe(true);
    expect(sakke.curve.multiply(SAKKE.q, sakke.P).z).toBe(0n);
  });

  it("reproduces every value", () => {
    const { curve, P } = sakke;
    const z = 0xaff429d35f84b110d094803b3595a6e2998bc99fn;
    const ssv = fromHex("123456789abcdef0123456789abcdef0");

    const zt = sakke.publicKeyOf(z);
    const rsk = sakke.issueRsk(z, ID);
    const sed = sakke.encapsulate(zt, ID, ssv);
    const R = sed.subarray(0, 257);
    const r = sakke.scalarFor(ssv, ID);
    const w = sakke.pairing(curve.decode(R), curve.decode(rsk));
    const received = sakke.decapsulate(zt, ID, rsk, sed);
    const T = sakke.publicPointOf(curve.decode(zt), ID);

    const computed: Record<keyof ReturnType<typeof rfc6508>["vectors"], Uint8Array> = {
      z: toOctets(z, 20),
      Zx: zt.subarray(1, 129),
      Zy: zt.subarray(129),
      Z: zt,
      b: ID,
      Kbx: rsk.subarray(1, 129),
      Kby: rsk.subarray(129),
      RSK: rsk,
      SSV: ssv,
      SSV_b: concat(ssv, ID),
      r: toOctets(r, 128),
      T: curve.encode(curve.toAffine(T)),
      rb_mod_q: toOctets(mod(r * toInteger(ID), SAKKE.q), 128),
      Rbx: R.subarray(1, 129),
      Rby: R.subarray(129),
      R,
      g_r: toOctets(sakke.power(SAKKE.g, r), 128),
      mask: sakke.maskFor(w),
      H: sed.subarray(257),
      SED: sed,
      w: toOctets(w, 128),
      SSV_receiver: received,
      r_receiver: toOctets(sakke.scalarFor(received, ID), 128),
      TEST: curve.encode(curve.toAffine(curve.multiply(r, T))),
    };
    expect(hexOf(computed)).toEqual(hexOf(rfc6508().vectors));

    const twoBases = curve.multiplySum([
      [toInteger(computed.rb_mod_q), P],
      [r, curve.decode(zt)],
    ]);
    expect(toHex(curve.encode(curve.toAffine(twoBases)))).toBe(toHex(R));
    expect(curve.multiply(SAKKE.q, curve.decode(R)).z).toBe(0n);
    expect(sakke.pairing(curve.decode(rsk), curve.decode(R))).toBe(w);
  });

  it("accepts the published RSK", () => {
    const { Z, b, RSK } = rfc6508().vectors;
    expect(sakke.validateRsk(Z, b, RSK)).toBe(true);
  });
});

describe("the reference for RFC 6509 (MIKEY-SAKKE)", () => {
  it("has parameter set 1", () => {
    const { p, q, Px, Py, g } = SAKKE;
    const computed: Record<keyof ReturnType<typeof rfc6509>["parameters"], Uint8Array> = {
      p: toOctets(p, 128),
      q: toOctets(q, 128),
      Px: toOctets(Px, 128),
      Py: toOctets(Py, 128),
      g: toOctets(g, 128),
    };
    expect(hexOf(computed)).toEqual(hexOf(rfc6509().parameters));
    expect(SAKKE.sedBytes).toBe(rfc6509().mikey.sakke_data_octets_set1);
    expect(P256.signatureBytes).toBe(rfc6509().mikey.eccsi_signature_octets);
  });

  it("reproduces the derived facts", () => {
    const { p, q } = SAKKE;
    const weight = (k: bigint, w: number) => wnaf(k, w).filter((digit) => digit !== 0).length;
    const ones = (k: bigint) => k.toString(2).replaceAll("0", "").length;
    const minusInverse = (bits: number) => {
      const radix = 1n << BigInt(bits);
      return toHex(toOctets(invert(-p, radix), bits / 8)).toUpperCase();
    };
    const montgomery = (power: bigint) => toHex(toOctets((1n << power) % p, 128)).toUpperCase();

    const computed: ReturnType<typeof rfc6509>["facts"] = {
      p_bits: bitLength(p),
      q_bits: bitLength(q),
      p_equals_4q_minus_1: p === 4n * q - 1n,
      "cofactor_(p+1)/q": Number((p + 1n) / q),
      p_mod_8: Number(p % 8n),
      p_mod_3: Number(p % 3n),
      hamming_weight_p: ones(p),
      hamming_weight_q: ones(q),
      naf_weight_p: weight(p, 2),
      naf_weight_q: weight(q, 2),
      naf_weight_q_minus_1: weight(q - 1n, 2),
      montgomery_minus_p_inv_mod_2_64: minusInverse(64),
      montgomery_minus_p_inv_mod_2_32: minusInverse(32),
      "R_mod_p (R=2^1024)": montgomery(1024n),
      "R2_mod_p (R=2^1024)": montgomery(2048n),
    };
    expect(computed).toEqual(rfc6509().facts);
    expect(isProbablePrime(p) && isProbablePrime(q)).toBe(true);
  });
});

describe("the reference for the production I_MESSAGE", () => {
  const { kms, gms, alice, message } = productionGmk();

  it("finds its keys valid", () => {
    for (const user of [gms, alice]) {
      expect(sakke.validateRsk(kms.zt, user.uid, user.rsk)).toBe(true);
      expect(eccsi.validateSigningKey(kms.kpak, user.uid, user)).toBe(true);
    }
  });

  it("opens it to the published GMK, in both directions", () => {
    // SAKKE payload at 217 (RFC 6509 4.2): next payload, params 1, ID scheme 2, length 273.
    expect(toHex(message.octets.subarray(218, 222))).toBe("01020111");
    const sed = message.octets.subarray(222, 222 + 273);
    expect(toHex(sakke.decapsulate(kms.zt, alice.uid, alice.rsk, sed))).toBe(toHex(message.gmk));
    expect(toHex(sakke.encapsulate(kms.zt, alice.uid, message.gmk))).toBe(toHex(sed));
  });

  it("verifies it over all octets but the signature, SIGN header included", () => {
    const { octets } = message;
    const signature = octets.subarray(-129);
    expect(eccsi.verify(kms.kpak, gms.uid, octets.subarray(0, -129), signature)).toBe(true);
    expect(eccsi.verify(kms.kpak, gms.uid, octets.subarray(0, -131), signature)).toBe(false);
  });
});
