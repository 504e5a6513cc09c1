/**
 * The same operations with @noble/curves, a library of others: E of RFC 6508 and P-256 on its Weierstrass curves, F_p² on its
 * tower. It has no pairing for E, so there are no rows of receivers. What it can keep of public points it keeps, as the core
 * does: tables of P, Z_T, G and KPAK.
 */
import { type Fp2 as Element, type Fp12, tower12 } from "@noble/curves/abstract/tower.js";
import { weierstrass } from "@noble/curves/abstract/weierstrass.js";
import { p256 } from "@noble/curves/nist.js";
import { concat, equal } from "../base/bytes.ts";
import { type Core, EccsiPublicKey, EccsiSigner, SakkePublicKey, systemRandom } from "../bindings/index.ts";
import type { Row } from "../cli/bench/row.ts";
import type { World } from "../cli/bench/world.ts";
import { hashOfKey, hashOfMessage, type SigningKey } from "../test/crypto/reference/eccsi.ts";
import { randomBelow, toInteger, toOctets } from "../test/crypto/reference/field.ts";
import { P256, SAKKE } from "../test/crypto/reference/params.ts";
import { maskFor, curve as sakke, scalarFor } from "../test/crypto/reference/sakke.ts";
import { rfc6507, rfc6508 } from "../test/support/vectors.ts";
import { products } from "./baseline.ts";

const { p, q, Px, Py, g } = SAKKE;

const PRODUCTS = 500;

const E = weierstrass({ p, n: q, h: 4n, a: p - 3n, b: 0n, Gx: Px, Gy: Py });
/** The tower is made for pairings of degree 12; of what it is given only p matters to F_p². */
const { Fp2 } = tower12({
  ORDER: p,
  X_LEN: 64,
  FP2_NONRESIDUE: [1n, 1n],
  Fp2mulByB: (a: Element) => a,
  Fp12finalExponentiate: (a: Fp12) => a,
});
const { Fp } = E;
const G = p256.Point;
const { Fn } = G;

type SakkePoint = (typeof E)["BASE"];
type P256Point = (typeof G)["BASE"];

/** Bits of the windows of its tables: as many as the core has for E, and the library's own choice for P-256. */
const [WINDOW, WINDOW_256] = [7, 6];

/** A public point of E or P-256 with a table. Checks the octets. */
const sakkePoint = (octets: Uint8Array): SakkePoint => E.fromBytes(octets).precompute(WINDOW);
const p256Point = (octets: Uint8Array): P256Point => G.fromBytes(octets).precompute(WINDOW_256);

/** The generator of E, as a point like others: with E.BASE the library would hide scalars, which takes it longer. */
const P = E.fromAffine({ x: Px, y: Py }).precompute(WINDOW);

/** RFC 6508 6.2.1. [r]([b]P + Z_T) as [r b]P + [r]Z_T, which has tables for both and is much the faster way. */
function encapsulate(zt: SakkePoint, id: Uint8Array, ssv: Uint8Array): Uint8Array {
  const r = scalarFor(ssv, id);
  const R = P.multiply(E.Fn.mul(r, E.Fn.create(toInteger(id)))).add(zt.multiply(r));
  const power = Fp2.pow(Fp2.create({ c0: 1n, c1: g }), r);
  const mask = maskFor(Fp.div(power.c1, power.c0));
  return concat(
    sakke.encode(R.toAffine()),
    ssv.map((octet, i) => octet ^ mask[i]!),
  );
}

/** RFC 6508 6.1.1. */
function issueRsk(z: bigint, id: Uint8Array): Uint8Array {
  return sakke.encode(P.multiply(E.Fn.inv(E.Fn.create(toInteger(id) + z))).toAffine());
}

/** RFC 6507 5.1.1 with v given. */
function issueSigningKey(ksak: bigint, kpak: Uint8Array, id: Uint8Array, v: bigint) {
  const pvt = G.BASE.multiply(v).toBytes(false);
  const hs = Fn.create(toInteger(hashOfKey(kpak, id, pvt)));
  return { ssk: Fn.toBytes(Fn.add(ksak, Fn.mul(hs, v))), pvt };
}

/** RFC 6507 5.2.1 with j given. */
function sign(kpak: Uint8Array, id: Uint8Array, key: SigningKey, message: Uint8Array, j: bigint): Uint8Array {
  const { x } = G.BASE.multiply(j).toAffine();
  const r = toOctets(x, P256.fieldBytes);
  const he = Fn.create(toInteger(hashOfMessage(hashOfKey(kpak, id, key.pvt), r, message)));
  const denominator = Fn.add(he, Fn.mul(Fn.create(x), toInteger(key.ssk)));
  return concat(r, Fn.toBytes(Fn.mul(Fn.inv(denominator), j)), key.pvt);
}

/** RFC 6507 5.2.2. `pvt` has a table where the signer is known. */
function verify(
  kpak: { readonly octets: Uint8Array; readonly point: P256Point },
  id: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
  pvt: P256Point = G.fromBytes(pvtOf(signature)),
): boolean {
  const r = signature.subarray(0, P256.fieldBytes);
  const s = Fn.create(toInteger(signature.subarray(P256.fieldBytes, 2 * P256.fieldBytes)));
  const hs = hashOfKey(kpak.octets, id, pvtOf(signature));
  const he = Fn.create(toInteger(hashOfMessage(hs, r, message)));
  const sr = Fn.mul(s, Fn.create(toInteger(r)));
  // J = [s]([HE]G + [r]([HS]PVT + KPAK)), the scalars multiplied out.
  const J = G.BASE.multiplyUnsafe(Fn.mul(s, he))
    .add(kpak.point.multiplyUnsafe(sr))
    .add(pvt.multiplyUnsafe(Fn.mul(sr, Fn.create(toInteger(hs)))));
  return !J.is0() && J.toAffine().x === toInteger(r);
}

function pvtOf(signature: Uint8Array): Uint8Array {
  return signature.subarray(P256.signatureBytes - P256.pointBytes);
}

/** The rows of one at a time: a batch gains nothing here. */
export function nobleRows(world: World): Row[] {
  const { domain, gmsKeys, ssv, text, known, strangers } = world;
  const zt = sakkePoint(domain.certificate.pubEncKey);
  const octets = domain.certificate.pubAuthKey;
  const kpak = { octets, point: p256Point(octets) };
  const knownPvt = p256Point(pvtOf(known.octets));
  const master = { z: randomBelow(q, systemRandom), ksak: randomScalar() };
  let ids: Uint8Array[] = [];
  let turn = 0;
  const prepare = () => {
    ids = world.freshUids(1);
  };
  const encapsulateOne = () => encapsulate(zt, ids[0]!, ssv);
  const signOne = () => sign(octets, gmsKeys.uid, gmsKeys, text, randomScalar());
  return [
    { name: "field.multiply", operations: PRODUCTS, run: () => nobleProducts(Px, Py, PRODUCTS) },
    { name: "sakke.encapsulate.batch", operations: 1, prepare, run: encapsulateOne },
    { name: "sakke.encapsulate.single", operations: 1, prepare, run: encapsulateOne },
    { name: "sakke.issue.batch", operations: 1, prepare, run: () => issueRsk(master.z, ids[0]!) },
    { name: "eccsi.sign.batch", operations: 1, run: signOne },
    { name: "eccsi.sign.single", operations: 1, run: signOne },
    {
      name: "eccsi.verify",
      operations: 1,
      run: () => {
        const signer = strangers[turn++ % strangers.length]!;
        return verify(kpak, signer.uid, text, signer.octets);
      },
    },
    {
      name: "eccsi.verify.known",
      operations: 1,
      run: () => verify(kpak, known.uid, text, known.octets, knownPvt),
    },
    {
      name: "kms.issue.batch",
      operations: 1,
      prepare,
      run: () => [issueRsk(master.z, ids[0]!), issueSigningKey(master.ksak, octets, ids[0]!, randomScalar())],
    },
  ];
}

/** a b^n mod p. */
function nobleProducts(a: bigint, b: bigint, n: number): bigint {
  let x = a;
  for (let i = 0; i < n; i++) x = Fp.mul(x, b);
  return x;
}

function randomScalar(): bigint {
  return 1n + randomBelow(P256.q - 1n, systemRandom);
}

/** Throws unless this library and the core both give what RFC 6507 and RFC 6508 publish in their appendices. */
export function requireNobleAgreement(core: Core): void {
  const { Z, z, b, SSV, SED, RSK } = rfc6508().vectors;
  const { KPAK, KSAK, ID, v, PVT, SSK, M, j, Sig } = rfc6507().vectors;
  const kpak = { octets: KPAK, point: p256Point(KPAK) };
  const issued = issueSigningKey(toInteger(KSAK), KPAK, ID, toInteger(v));
  const forged = Sig.map((octet, i) => (i === 40 ? octet ^ 1 : octet));
  const encryption = SakkePublicKey.load(core, Z);
  const authentication = EccsiPublicKey.load(core, KPAK);
  const signer = EccsiSigner.load(authentication, ID, SSK, PVT);
  const checks = {
    "field.multiply": nobleProducts(Px, Py, 3) === products(Px, Py, 3),
    "sakke.encapsulate": equal(encapsulate(sakkePoint(Z), b, SSV), SED),
    "sakke.encapsulate, ours": equal(encryption.encapsulate(b, SSV), SED),
    "sakke.issue": equal(issueRsk(toInteger(z), b), RSK),
    "kms.issue": equal(issued.ssk, SSK) && equal(issued.pvt, PVT),
    "eccsi.sign": equal(sign(KPAK, ID, { ssk: SSK, pvt: PVT }, M, toInteger(j)), Sig),
    "eccsi.sign, ours": equal(
      signer.sign(M, () => j.slice()),
      Sig,
    ),
    "eccsi.verify": verify(kpak, ID, M, Sig) && !verify(kpak, ID, M, forged),
    "eccsi.verify, ours": authentication.verify(ID, M, Sig) && !authentication.verify(ID, M, forged),
    "eccsi.verify.known": verify(kpak, ID, M, Sig, p256Point(PVT)),
  };
  signer.destroy();
  authentication.destroy();
  encryption.destroy();
  for (const [what, agrees] of Object.entries(checks)) {
    if (!agrees) throw new Error(`@noble/curves, ${what}: the result is not that of the published vector`);
  }
}
