/** Both builds of the core reproduce the values of RFC 6507, 6508 and 6509 through the bindings. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { concat, toHex } from "../../../base/bytes.ts";
import type { Core } from "../../../bindings/core/core.ts";
import { encoded, hashOfKey, hashOfMessage } from "../../../bindings/eccsi/encoding.ts";
import { EccsiPublicKey, EccsiSigner, SIGNATURE_BYTES } from "../../../bindings/eccsi/index.ts";
import { multiplyBase } from "../../../bindings/eccsi/tables.ts";
import { KmsMaster } from "../../../bindings/kms.ts";
import * as codes from "../../../bindings/mikey/codes.ts";
import { encoded as encodedPoint } from "../../../bindings/sakke/encoding.ts";
import { SakkePublicKey, SakkeReceiver, SED_BYTES } from "../../../bindings/sakke/index.ts";
import { RangeHash } from "../../../bindings/sakke/range-hash.ts";
import * as raw from "../../support/raw-core.ts";
import { loadTarget, TARGETS } from "../../support/targets.ts";
import { rfc6507, rfc6508, rfc6509 } from "../../support/vectors.ts";
import { mod, toInteger, toOctets } from "../reference/field.ts";

type Named = Record<string, Uint8Array>;

function hexOf(values: Named): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, toHex(value)]));
}

const one = (length: number) => raw.padded(Uint8Array.of(1), length);

/** p and the group order from the core: [order - 1]G = -G = (Gx, p - Gy), and [order + 1]G = G. */
function negativeOf(generator: Uint8Array, p: Uint8Array): Uint8Array {
  const n = p.length;
  const y = mod(-toInteger(generator.subarray(1 + n)), toInteger(p));
  return concat(generator.subarray(0, 1 + n), toOctets(y, n));
}

describe.each(TARGETS)("RFC values in the %s build", (target) => {
  let core: Core;

  beforeAll(async () => {
    core = await loadTarget(target);
  });
  afterAll(() => core.destroy());

  describe("for RFC 6507 appendix A (ECCSI):", () => {
    const { parameters, vectors } = rfc6507();
    const { KSAK, ID, v, M, j } = vectors;

    it("the published parameters are used", () => {
      const { G, p, q } = parameters;
      const times = (k: bigint) => toHex(encoded(multiplyBase(core, toOctets(k, 32))!));
      const order = toInteger(q);
      expect(times(1n)).toBe(toHex(G));
      expect(times(order + 1n)).toBe(toHex(G));
      expect(times(order - 1n)).toBe(toHex(negativeOf(G, p)));
      expect(multiplyBase(core, q)).toBeUndefined();
      // B is that of the one curve with this equation through G.
      const [x, y, prime] = [G.subarray(1, 33), G.subarray(33), p].map(toInteger) as [bigint, bigint, bigint];
      expect(mod(y * y - x * x * x + 3n * x, prime)).toBe(toInteger(parameters.B));
      expect(() => EccsiPublicKey.load(core, G)).not.toThrow();
    });

    it("every value is reproduced", () => {
      const master = KmsMaster.load(core, { z: one(128).fill(2, 127), ksak: KSAK });
      const kms = EccsiPublicKey.load(core, master.kpak);
      const pvt = encoded(multiplyBase(core, v)!);
      const hs = hashOfKey(master.kpak, ID, pvt);
      const ssk = raw.eccsiIssue(core, KSAK, [{ hs, v }])[0]!.octets;
      const signature = EccsiSigner.load(kms, ID, ssk, pvt).sign(M, () => j.slice());
      const r = signature.subarray(0, 32);
      const he = hashOfMessage(hs, r, M);

      const computed: Record<keyof typeof vectors, Uint8Array> = {
        KSAK: master.exportSecrets().ksak,
        KPAK: kms.kpak,
        ID,
        v,
        PVT: pvt,
        HS: hs,
        SSK: ssk,
        M,
        j,
        J: encoded(multiplyBase(core, j)!),
        r,
        HE: he,
        // The sum of 5.2.1 step 4 has the form of an SSK.
        HE_plus_r_SSK_mod_q: raw.eccsiIssue(core, he, [{ hs: r, v: ssk }])[0]!.octets,
        s_prime: raw.eccsiSign(core, ssk, [{ he, r, j }])[0]!.octets,
        s: signature.subarray(32, 64),
        Sig: signature,
        Y: raw.eccsiSignerPoint(core, pvt, master.kpak, hs).octets,
      };
      expect(hexOf(computed)).toEqual(hexOf(vectors));
    });

    it("the published key and signature are accepted, with no other identifier or message", () => {
      const { KPAK, SSK, PVT, Sig } = vectors;
      const kms = EccsiPublicKey.load(core, KPAK);
      const other = ID.slice(0, -1);
      expect(kms.validateSsk(ID, SSK, PVT)).toBe(true);
      expect(kms.validateSsk(other, SSK, PVT)).toBe(false);
      expect(kms.verify(ID, M, Sig)).toBe(true);
      expect(kms.verify(other, M, Sig)).toBe(false);
      expect(kms.verify(ID, M.slice(0, -1), Sig)).toBe(false);
    });
  });

  describe("for RFC 6508 appendix A (SAKKE):", () => {
    const { parameters, vectors } = rfc6508();
    const { z, b, SSV } = vectors;
    const hash = new RangeHash();
    const order = toInteger(parameters.q);

    it("the published parameters are used", () => {
      const { p, Px, Py, g } = parameters;
      const P = concat(Uint8Array.of(4), Px, Py);
      const times = (k: bigint) => toHex(raw.multiplyGenerator(core, toOctets(k, 128)).octets);
      expect(times(1n)).toBe(toHex(P));
      expect(times(order + 1n)).toBe(toHex(P));
      expect(times(order - 1n)).toBe(toHex(negativeOf(P, p)));
      expect(raw.multiplyGenerator(core, parameters.q).status).toBe(1);
      for (const prepared of [false, true])
        expect(toHex(raw.pairing(core, P, P, prepared).octets)).toBe(toHex(g));
    });

    it.each([false, true])("every value is reproduced, prepared: %s", (prepare) => {
      const master = KmsMaster.load(core, { z: raw.padded(z, 128), ksak: one(32) });
      const kms = SakkePublicKey.load(core, master.zt);
      const { rsk } = master.issue(b);
      const sed = kms.encapsulate(b, SSV);
      const [R, H] = [sed.subarray(0, 257), sed.subarray(257)];
      const scalarOf = (ssv: Uint8Array) => toOctets(toInteger(hash.scalar(concat(ssv, b))) % order, 128);
      const r = scalarOf(SSV);
      const id = raw.padded(b, 128);
      const power = raw.encapsulate(core, kms.table, [{ r, id }])[0]!.power;
      const w = raw.pairing(core, rsk, R, prepare).octets;
      const received = SakkeReceiver.load(kms, b, rsk, { prepare }).decapsulate(sed);
      // Stays inside the core; R above is right only with the right one.
      const rb = (toInteger(r) * toInteger(b)) % order;

      const computed: Record<keyof typeof vectors, Uint8Array> = {
        z: master.exportSecrets().z.subarray(-20),
        Zx: kms.zt.subarray(1, 129),
        Zy: kms.zt.subarray(129),
        Z: master.zt,
        b,
        Kbx: rsk.subarray(1, 129),
        Kby: rsk.subarray(129),
        RSK: rsk,
        SSV,
        SSV_b: concat(SSV, b),
        r,
        T: encodedPoint(kms.identityPoint(b)!),
        rb_mod_q: toOctets(rb, 128),
        Rbx: R.subarray(1, 129),
        Rby: R.subarray(129),
        R,
        g_r: power,
        mask: hash.mask(w),
        H,
        SED: sed,
        w,
        SSV_receiver: received,
        r_receiver: scalarOf(received),
        TEST: encodedPoint(kms.point(concat(r, id))!),
      };
      expect(hexOf(computed)).toEqual(hexOf(vectors));
    });

    it("the published RSK is accepted, for no other identifier", () => {
      const { Z, RSK } = vectors;
      const kms = SakkePublicKey.load(core, Z);
      expect(kms.validateRsk(b, RSK)).toBe(true);
      expect(kms.validateRsk(b.slice(0, -1), RSK)).toBe(false);
    });

    it("the published data are opened", () => {
      const { Z, RSK, SED } = vectors;
      const kms = SakkePublicKey.load(core, Z);
      for (const prepare of [false, true])
        expect(toHex(SakkeReceiver.load(kms, b, RSK, { prepare }).decapsulate(SED))).toBe(toHex(SSV));
    });
  });

  it("for RFC 6509 appendix A include parameter set 1", () => {
    const { Px, Py, g, q, p } = rfc6509().parameters;
    const P = raw.multiplyGenerator(core, one(128)).octets;
    expect(toHex(P)).toBe(toHex(concat(Uint8Array.of(4), Px, Py)));
    expect(toHex(raw.pairing(core, P, P).octets)).toBe(toHex(g));
    const negative = raw.multiplyGenerator(core, toOctets(toInteger(q) - 1n, 128)).octets;
    expect(toHex(negative)).toBe(toHex(negativeOf(P, p)));
  });
});

describe("MIKEY-SAKKE of RFC 6509", () => {
  it("has the code points and sizes of sections 4 and 7", () => {
    const { mikey, sakkeParams } = rfc6509();
    const computed: Omit<typeof mikey, "section"> = {
      data_type_sakke_msg: codes.DATA_TYPE_SAKKE,
      payload_sakke: codes.PAYLOAD_CODES.SAKKE,
      sign_type_eccsi: codes.S_TYPE_ECCSI,
      idr_payload: codes.PAYLOAD_CODES.IDR,
      id_role_IDRkmsi: codes.ID_ROLES.INITIATOR_KMS,
      id_role_IDRkmsr: codes.ID_ROLES.RESPONDER_KMS,
      sakke_data_octets_set1: SED_BYTES,
      eccsi_signature_octets: SIGNATURE_BYTES,
    };
    expect(mikey).toMatchObject(computed);
    expect(codes.SAKKE_PARAMETER_SET_1).toBe(sakkeParams);
  });
});
