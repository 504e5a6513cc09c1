/**
 * Signatures and keys made up to meet exceptional cases: of the addition law, of the ranges of r and s, of neutral
 * points. Hashes stand in the way of most of them, so here HS is the identifier and HE is the message.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { concat, toHex } from "../../../base/bytes.ts";
import type { Core } from "../../../bindings/core/core.ts";
import { EccsiPublicKey, EccsiSigner } from "../../../bindings/eccsi/index.ts";
import { KmsMaster } from "../../../bindings/kms.ts";
import { errorCode } from "../../support/error-code.ts";
import { seededRandom } from "../../support/random.ts";
import * as raw from "../../support/raw-core.ts";
import { loadTarget, TARGETS } from "../../support/targets.ts";
import type { Affine } from "../reference/curve.ts";
import * as reference from "../reference/eccsi.ts";
import { invert, mod, randomBelow, squareRoot, toInteger, toOctets } from "../reference/field.ts";
import { P256 } from "../reference/params.ts";

/** Values of HS to be used first. */
const forced = vi.hoisted((): Uint8Array[] => []);

vi.mock("../../../bindings/eccsi/encoding.ts", async (original) => ({
  ...(await original<typeof import("../../../bindings/eccsi/encoding.ts")>()),
  hashOfKey: (_kpak: Uint8Array, id: Uint8Array) => forced.shift() ?? id,
  hashOfMessage: (_hs: Uint8Array, _r: Uint8Array, message: Uint8Array) => message,
}));

const { p, q, pointBytes } = P256;
const { curve, G } = reference;

const random = seededRandom("exceptional signatures");
const scalar = () => 1n + randomBelow(q - 1n, random);
const octets = (k: bigint) => toOctets(k, 32);
/** [k]G, 65 octets; k is not 0 mod the order. */
const pointOf = (k: bigint) => reference.kpakOf(mod(k, q));

const KSAK = scalar();
const KPAK = pointOf(KSAK);

interface Case {
  readonly hs: bigint;
  readonly he: bigint;
  readonly r: bigint;
  readonly s: bigint;
  readonly pvt: Uint8Array;
}

/** RFC 6507 5.2.2 in plain steps: Y = [HS]PVT + KPAK, J = [s]([HE]G + [r]Y). */
function verifyPlainly({ hs, he, r, s, pvt }: Case): boolean {
  const Y = curve.addAffine(curve.multiply(hs, curve.decode(pvt)), curve.decode(KPAK));
  const inner = curve.add(curve.multiply(he, G), curve.multiply(mod(r, q), Y));
  const J = curve.multiply(mod(s, q), inner);
  if (J.z === 0n) return false;
  const { x } = curve.toAffine(J);
  return x !== 0n && x === mod(r, p);
}

/** A signature as its maker computes it, with v of PVT, and j. `he` may depend on r. */
function signed(v: bigint, hs: bigint, j: bigint, he: (r: bigint) => bigint): Case {
  const r = curve.toAffine(curve.multiply(j, G)).x;
  const message = mod(he(r), q);
  const ssk = mod(KSAK + hs * v, q);
  const s = mod(j * invert(message + r * ssk, q), q);
  return { hs, he: message, r, s, pvt: pointOf(v) };
}

describe.each(TARGETS)("exceptional cases of ECCSI in the %s build", (target) => {
  let core: Core;
  let kms: EccsiPublicKey;

  beforeAll(async () => {
    core = await loadTarget(target);
    kms = EccsiPublicKey.load(core, KPAK);
  });
  afterAll(() => core.destroy());

  const verify = ({ hs, he, r, s, pvt }: Case) =>
    kms.verify(octets(hs), octets(he), concat(octets(r), octets(s), pvt));

  const signedBy = ({ hs, he, r, s, pvt }: Case) => ({
    id: octets(hs),
    message: octets(he),
    signature: concat(octets(r), octets(s), pvt),
  });

  /** Good signatures, and one that is not. */
  const neighbours = [1n, 2n, 3n, 4n].map((he) => signed(scalar(), scalar(), scalar(), () => he));
  neighbours.push({ ...neighbours[0]!, he: 9n });
  const verdicts = neighbours.map(verifyPlainly);

  let place = 0;

  /** Six signatures fill the lanes of one build and not those of the other. The place is another one each time. */
  function expectVerdictInBatch(made: Case, expected: boolean, name: string): void {
    place = (place + 1) % 6;
    const fresh = EccsiPublicKey.load(core, KPAK);
    const batch = neighbours.toSpliced(place, 0, made).map(signedBy);
    const all = verdicts.toSpliced(place, 0, expected);
    expect(fresh.verifyBatch(batch), `${name}, in place ${place} of a batch`).toEqual(all);
    fresh.destroy();
  }

  /**
   * The verdict on a signer whom nobody knows, by themselves and in a batch, and on one with a table: a good signature four
   * times makes one.
   */
  function expectVerdict(made: Case, expected: boolean, name: string): void {
    expect(verifyPlainly(made), `${name}, reference`).toBe(expected);
    expectVerdictInBatch(made, expected, name);
    for (let time = 0; time < 5; time++) expect(verify(made), `${name}, time ${time}`).toBe(expected);
  }

  it.each<[string, bigint]>([
    ["G", 1n],
    ["-G", q - 1n],
    ["2G", 2n],
    ["KPAK", KSAK],
    ["-KPAK", q - KSAK],
    ["[2]KPAK", mod(2n * KSAK, q)],
    ["[-2]KPAK", mod(-2n * KSAK, q)],
    ["[1/2]KPAK", mod(KSAK * invert(2n, q), q)],
  ])("verification is that of the reference for a PVT that is %s", (name, v) => {
    const [hs, he, j] = [scalar(), scalar(), scalar()];
    const good = signed(v, hs, j, () => he);
    expectVerdict(good, true, name);
    expectVerdict({ ...good, he: mod(he + 1n, q) }, false, `${name}, other message`);
    const ssk = mod(KSAK + hs * v, q);
    expect(kms.validateSsk(octets(hs), octets(ssk), good.pvt)).toBe(true);
    expect(kms.validateSsk(octets(hs), octets(mod(ssk + 1n, q)), good.pvt)).toBe(false);
  });

  it.each<[string, (r: bigint, hs: bigint, v: bigint) => bigint]>([
    // J = [s HE]G + [s r]KPAK + [s r HS]PVT
    ["[s HE]G + [s r]KPAK equals [s r HS]PVT", (r, hs, v) => r * hs * v - r * KSAK],
    ["[s HE]G is opposite to [s r]KPAK", (r) => -r * KSAK],
    ["[s HE]G equals [s r]KPAK", (r) => r * KSAK],
    ["[s HE]G equals [s r]Y", (r, hs, v) => r * (KSAK + hs * v)],
    ["[s HE]G is opposite to [s r HS]PVT", (r, hs, v) => -r * hs * v],
    ["HE is 0", () => 0n],
  ])("verification is that of the reference for a signature where %s", (name, he) => {
    const [v, hs, j] = [scalar(), scalar(), scalar()];
    expectVerdict(
      signed(v, hs, j, (r) => he(r, hs, v)),
      true,
      name,
    );
  });

  it("verification accepts small multipliers: HS and j of 1 and -1", () => {
    for (const hs of [1n, 2n, q - 1n])
      for (const j of [1n, 2n, q - 1n])
        expectVerdict(
          signed(scalar(), hs, j, () => 1n),
          true,
          `HS ${hs}, j ${j}`,
        );
  });

  it("verification refuses a neutral J", () => {
    const [v, hs, s] = [scalar(), scalar(), scalar()];
    const r = curve.toAffine(curve.multiply(scalar(), G)).x;
    const he = mod(-r * (KSAK + hs * v), q);
    expectVerdict({ hs, he, r, s, pvt: pointOf(v) }, false, "HE + r SSK = 0");
    expectVerdict({ hs, he: 0n, r: 0n, s, pvt: pointOf(v) }, false, "HE = r = 0");
  });

  it("a neutral Y is no key, though 5.2.2 by itself would accept what anybody can sign with it", () => {
    const v = scalar();
    const hs = mod(-KSAK * invert(v, q), q);
    const pvt = pointOf(v);
    expect(kms.validateSsk(octets(hs), octets(0n), pvt)).toBe(false);
    expect(kms.validateSsk(octets(hs), octets(q), pvt)).toBe(false);
    expect(raw.eccsiSignerPoint(core, pvt, KPAK, octets(hs)).status).toBe(2);
    expectVerdict(
      signed(v, hs, scalar(), () => 5n),
      true,
      "SSK = 0",
    );
  });

  it("an HS of 0 or of the order is no key (5.1.1), and gives no signature", () => {
    for (const hs of [0n, q]) {
      const made = signed(scalar(), hs, scalar(), () => 9n);
      expect(verify(made), `HS ${hs}`).toBe(false);
      expectVerdictInBatch(made, false, `HS ${hs}`);
      expect(kms.validateSsk(octets(hs), octets(KSAK), made.pvt)).toBe(false);
    }
  });

  it("verification treats r and s at the ends of their ranges as the reference does", () => {
    const good = signed(scalar(), scalar(), scalar(), () => 77n);
    const ends = [0n, 1n, q - 1n, q, q + 1n, p - 1n, p, p + 1n, (1n << 256n) - 1n];
    for (const end of ends) {
      expectVerdict({ ...good, r: end }, false, `r = ${end}`);
      expectVerdict({ ...good, s: end }, false, `s = ${end}`);
      expectVerdict({ ...good, r: end, s: end }, false, `r = s = ${end}`);
    }
    expectVerdict({ ...good, s: q - good.s }, true, "q - s");
    expectVerdict({ ...good, s: mod(good.s + 1n, q) }, false, "s + 1");
    expectVerdict({ ...good, r: mod(-good.r, p) }, false, "-r");
  });

  /** A PVT, with HS = 1, that makes any point J what [s]([HE]G + [r]Y) comes to. */
  function leadingTo(J: Affine, r: bigint): Case {
    const [he, s] = [scalar(), scalar()];
    const inner = curve.multiply(invert(s, q), J);
    const Y = curve.multiply(invert(r, q), curve.add(inner, curve.negate(curve.multiply(he, G))));
    const pvt = curve.toAffine(curve.addAffine(Y, curve.negate(curve.decode(KPAK))));
    return { hs: 1n, he, r, s, pvt: curve.encode(pvt) };
  }

  it("verification accepts r + p as little as the reference does", () => {
    // The points with the smallest x, whose logarithms nobody knows.
    let found = 0;
    for (let x = 1n; found < 3; x++) {
      const y = squareRoot(mod(x * x * x - 3n * x + P256.B, p), p);
      if (y === undefined) continue;
      found++;
      for (const r of [x, x + p]) expectVerdict(leadingTo({ x, y }, r), true, `r = ${r}`);
    }
  });

  it("verification refuses r = p for J.x = 0", () => {
    const J = { x: 0n, y: squareRoot(P256.B, p)! };
    expect(curve.contains(J)).toBe(true);
    expectVerdict(leadingTo(J, p), false, "r = p");
  });

  it("verification refuses s + order where it fits", () => {
    const [v, j] = [scalar(), scalar()];
    const r = curve.toAffine(curve.multiply(j, G)).x;
    // HE such that s = 3.
    const hs = scalar();
    const he = mod(j * invert(3n, q) - r * (KSAK + hs * v), q);
    const made = { hs, he, r, s: 3n, pvt: pointOf(v) };
    expectVerdict(made, true, "s = 3");
    expectVerdict({ ...made, s: q + 3n }, true, "s = q + 3, as the reference");
  });

  it("verification refuses PVTs that are no points", () => {
    const good = signed(scalar(), scalar(), scalar(), () => 77n);
    const { x, y } = curve.decode(good.pvt);
    const xy = (a: bigint, b: bigint) => concat(Uint8Array.of(4), octets(a), octets(b));
    const bad = {
      "off the curve": xy(x, mod(y + 1n, p)),
      "x and y swapped": xy(y, x),
      "the origin": xy(0n, 0n),
      "x = p": xy(p, y),
      "y = p": xy(x, p),
      "all ones": new Uint8Array(pointBytes).fill(0xff).fill(4, 0, 1),
      compressed: concat(Uint8Array.of(2), good.pvt.subarray(1)),
      "the neutral element": new Uint8Array(pointBytes),
    };
    for (const [name, pvt] of Object.entries(bad)) {
      expect(verify({ ...good, pvt }), name).toBe(false);
      expectVerdictInBatch({ ...good, pvt }, false, name);
      expect(kms.validateSsk(octets(good.hs), octets(5n), pvt), name).toBe(false);
      expect(
        errorCode(() => EccsiPublicKey.load(core, pvt)),
        name,
      ).toBe("validation/BAD_POINT");
    }
  });

  it("draws another j when HE + r SSK is 0, and for scalars out of range", () => {
    const [hs, v] = [scalar(), scalar()];
    const ssk = mod(KSAK + hs * v, q);
    const signer = EccsiSigner.load(kms, octets(hs), octets(ssk), pointOf(v));
    const [first, second] = [scalar(), scalar()];
    const he = mod(-curve.toAffine(curve.multiply(first, G)).x * ssk, q);
    const draws = [0n, q, (1n << 256n) - 1n, first, second].map(octets);
    const signature = signer.sign(octets(he), () => draws.shift()!);
    expect(draws).toHaveLength(0);
    const r = curve.toAffine(curve.multiply(second, G)).x;
    const s = mod(second * invert(he + r * ssk, q), q);
    expect(toHex(signature)).toBe(toHex(concat(octets(r), octets(s), pointOf(v))));
    expect(errorCode(() => signer.sign(octets(he), () => octets(q)))).toBe("usage/BAD_RANDOM");
    expect(errorCode(() => signer.sign(octets(he), () => new Uint8Array(31)))).toBe("usage/BAD_RANDOM");
  });

  it("signs at every place of a batch whose first draw fails at one of them", () => {
    const [hs, v] = [scalar(), scalar()];
    const ssk = mod(KSAK + hs * v, q);
    const signer = EccsiSigner.load(kms, octets(hs), octets(ssk), pointOf(v));
    for (const at of [0, 1, 2]) {
      const js = [scalar(), scalar(), scalar(), scalar(), scalar(), scalar()];
      const unlucky = mod(-curve.toAffine(curve.multiply(js[at]!, G)).x * ssk, q);
      const messages = [11n, 12n, 13n].map((m, i) => octets(i === at ? unlucky : m));
      const draws = js.map(octets);
      const batch = signer.signBatch(messages, () => draws.shift() ?? octets(scalar()));
      batch.forEach((signature, i) => {
        expect(kms.verify(octets(hs), messages[i]!, signature), `failed ${at}, message ${i}`).toBe(true);
      });
      expect(new Set(batch.map((signature) => toHex(signature.subarray(0, 32)))).size).toBe(3);
    }
  });

  it("issues no SSK of 0, and none for an HS of 0, and marks only these", () => {
    const vs = [scalar(), scalar(), scalar(), scalar()];
    const hs = [scalar(), mod(-KSAK * invert(vs[1]!, q), q), 0n, q];
    for (const at of [0, 1, 2, 3]) {
      const order = [...vs.keys()].map((i) => (i + at) % 4);
      const out = raw.eccsiIssue(
        core,
        octets(KSAK),
        order.map((i) => ({ hs: octets(hs[i]!), v: octets(vs[i]!) })),
      );
      expect(out.map(({ status }) => status)).toEqual(order.map((i) => (i === 0 ? 0 : 1)));
      const good = order.indexOf(0);
      expect(toInteger(out[good]!.octets)).toBe(mod(KSAK + hs[0]! * vs[0]!, q));
    }
  });

  it("moves on to another v for the one user whose HS is 0", () => {
    const master = KmsMaster.load(core, { z: raw.padded(Uint8Array.of(9), 128), ksak: octets(KSAK) });
    const users = [scalar(), scalar(), scalar()].map(octets);
    const usual = master.issueBatch(users).map(({ pvt }) => toHex(pvt));
    for (const at of users.keys()) {
      forced.push(...users.map((id, i) => (i === at ? new Uint8Array(32) : id)));
      const keys = master.issueBatch(users);
      expect(forced).toEqual([]);
      keys.forEach(({ ssk, pvt }, i) => {
        expect(kms.validateSsk(users[i]!, ssk, pvt), `user ${i}`).toBe(true);
        expect(toHex(pvt) === usual[i], `user ${i} has the usual v`).toBe(i !== at);
      });
    }
  });
});
