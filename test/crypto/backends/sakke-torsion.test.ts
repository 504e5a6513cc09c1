/**
 * R that differs from an honest one by a point of order 2 or 4 gives the same pairing value and so the same SSV. Only the
 * check of R itself (RFC 6508 6.2.2 step 5) can refuse it.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { concat, toHex } from "../../../base/bytes.ts";
import type { Core } from "../../../bindings/core/core.ts";
import { KmsMaster } from "../../../bindings/kms.ts";
import { SakkePublicKey, SakkeReceiver } from "../../../bindings/sakke/index.ts";
import { errorCode } from "../../support/error-code.ts";
import { seededRandom } from "../../support/random.ts";
import * as raw from "../../support/raw-core.ts";
import { loadTarget, TARGETS } from "../../support/targets.ts";
import type { Affine } from "../reference/curve.ts";
import { mod, squareRoot } from "../reference/field.ts";
import { SAKKE } from "../reference/params.ts";
import { curve, P } from "../reference/sakke.ts";

const { p } = SAKKE;
const random = seededRandom("points of order 2 and 4");

/** The points of order 4 double to (0, 0): their tangents run through it, so (x^2 + 3)^2 = 0. */
function pointOfOrder4(): Affine {
  const root = squareRoot(mod(-3n, p), p)!;
  for (const x of [root, p - root]) {
    const y = squareRoot(mod(x * x * x - 3n * x, p), p);
    if (y !== undefined) return { x, y };
  }
  throw new Error("no point of order 4");
}

const T4 = pointOfOrder4();
const TORSION: readonly (readonly [string, Affine])[] = [
  ["a point of order 4", T4],
  ["the point of order 2", { x: 0n, y: 0n }],
  ["the other point of order 4", curve.negate(T4)],
];

it("the point of order 2 is twice a point of order 4", () => {
  expect(curve.toAffine(curve.multiply(2n, T4))).toEqual({ x: 0n, y: 0n });
  expect(curve.multiply(4n, T4).z).toBe(0n);
});

describe.each(TARGETS)("points of small order in the %s build", (target) => {
  let core: Core;

  beforeAll(async () => {
    core = await loadTarget(target);
  });
  afterAll(() => core.destroy());

  it("a receiver refuses R + T for every T of order 2 or 4, prepared or not", () => {
    const master = KmsMaster.generate(core, random);
    const kms = SakkePublicKey.load(core, master.zt);
    const id = random(32);
    const { rsk } = master.issue(id);
    for (const prepare of [false, true]) {
      const receiver = SakkeReceiver.load(kms, id, rsk, { prepare });
      for (let round = 0; round < 2; round++) {
        const ssv = random(16);
        const sed = kms.encapsulate(id, ssv);
        expect(toHex(receiver.decapsulate(sed))).toBe(toHex(ssv));
        const R = curve.decode(sed.subarray(0, 257));
        for (const [name, T] of TORSION) {
          const moved = concat(
            curve.encode(curve.toAffine(curve.addAffine({ ...R, z: 1n }, T))),
            sed.subarray(257),
          );
          const code = errorCode(() => receiver.decapsulate(moved));
          expect(code, `${name}, prepared: ${prepare}`).toBe("verification/SAKKE_CHECK_FAILED");
        }
      }
      receiver.destroy();
    }
  });

  it("a receiver refuses a point of order 2 or 4 alone, prepared or not", () => {
    const master = KmsMaster.generate(core, random);
    const kms = SakkePublicKey.load(core, master.zt);
    const id = random(32);
    const { rsk } = master.issue(id);
    for (const prepare of [false, true]) {
      const receiver = SakkeReceiver.load(kms, id, rsk, { prepare });
      for (const [name, T] of TORSION) {
        const code = errorCode(() => receiver.decapsulate(concat(curve.encode(T), random(16))));
        expect(code, `${name}, prepared: ${prepare}`).toBe("verification/SAKKE_CHECK_FAILED");
      }
    }
  });

  it("the pairing without tables detects every point that is not of order q", () => {
    const honest = curve.encode(P);
    expect(raw.pairing(core, honest, honest).status).toBe(0);
    for (const [name, T] of TORSION) {
      expect(raw.pairing(core, honest, curve.encode(T)).status, name).toBe(2);
      const moved = curve.encode(curve.toAffine(curve.addAffine({ ...P, z: 1n }, T)));
      expect(raw.pairing(core, honest, moved).status, `P + ${name}`).toBe(2);
      // Evaluated at the moved point the value is the same, so only the order tells them apart.
      const [same, value] = [moved, honest].map((point) =>
        toHex(raw.pairing(core, honest, point, true).octets),
      );
      expect(same).toBe(value);
    }
  });
});
