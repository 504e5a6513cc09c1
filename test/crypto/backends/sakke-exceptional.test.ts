/** Receivers and KMSs made up to meet exceptional cases of the addition law, at every place of a batch. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toHex } from "../../../base/bytes.ts";
import { type Core, load } from "../../../bindings/core/core.ts";
import { KmsMaster } from "../../../bindings/kms.ts";
import { SakkePublicKey, SakkeReceiver } from "../../../bindings/sakke/index.ts";
import { laneCollisions, type MadeUp, treeCollisions } from "../../support/collisions.ts";
import { errorCode } from "../../support/error-code.ts";
import { seededRandom } from "../../support/random.ts";
import * as raw from "../../support/raw-core.ts";
import { mod, toInteger, toOctets } from "../reference/field.ts";
import { SAKKE } from "../reference/params.ts";
import * as sakke from "../reference/sakke.ts";

const { q } = SAKKE;
const random = seededRandom("exceptional receivers");
const ID = random(32);
const OTHERS = [random(32), random(20)];
const SSV = random(16);

/** Equal and opposite points for the first, the middle, the last but one and the last join. */
function sample(all: readonly MadeUp[]): MadeUp[] {
  const middle = (all.length >> 2) * 2;
  return [...all.slice(0, 2), ...all.slice(middle, middle + 2), ...all.slice(-4)];
}

const hex = (list: readonly Uint8Array[]) => list.map(toHex);

interface Expected {
  readonly zt: string;
  readonly seds: ReadonlyMap<string, string>;
  readonly rsks: ReadonlyMap<string, string>;
}

const computed = new Map<string, Expected>();

/** Returns the results of the reference for `id` and OTHERS, computed once for both builds. */
function reference(z: bigint, id: Uint8Array): Expected {
  const name = `${z} ${toHex(id)}`;
  const known = computed.get(name);
  if (known !== undefined) return known;
  const zt = sakke.publicKeyOf(z);
  const all = [id, ...OTHERS];
  const made = {
    zt: toHex(zt),
    seds: new Map(all.map((to) => [toHex(to), toHex(sakke.encapsulate(zt, to, SSV))])),
    rsks: new Map(all.map((to) => [toHex(to), toHex(sakke.issueRsk(z, to))])),
  };
  computed.set(name, made);
  return made;
}

/** `special` at every place among `others`. */
function places<T>(special: T, others: readonly T[]): T[][] {
  return Array.from({ length: others.length + 1 }, (_, at) => [
    ...others.slice(0, at),
    special,
    ...others.slice(at),
  ]);
}

describe.each(raw.BUILDS)("exceptional cases of SAKKE in the %s build", (build) => {
  let core: Core;

  beforeAll(async () => {
    core = await load({ build });
  });
  afterAll(() => core.destroy());

  const kmsOf = (z: bigint) => {
    const secrets = { z: toOctets(z, 128), ksak: raw.padded(Uint8Array.of(7), 32) };
    const issuer = KmsMaster.load(core, secrets);
    return { issuer, kms: SakkePublicKey.load(core, issuer.zt) };
  };

  /** Issues to `id`, encapsulates at every place among OTHERS, decapsulates; all as the reference does. */
  function expectLikeReference(z: bigint, id: Uint8Array, name: string): void {
    const { issuer, kms } = kmsOf(z);
    const { zt, seds, rsks } = reference(z, id);
    expect(toHex(issuer.zt), name).toBe(zt);
    for (const batch of places(id, OTHERS)) {
      const made = hex(kms.encapsulateBatch(batch, SSV));
      expect(made, name).toEqual(batch.map((to) => seds.get(toHex(to))));
    }
    const keys = issuer.issueBatch([OTHERS[0]!, id, OTHERS[1]!]);
    expect(
      keys.map(({ rsk }) => toHex(rsk)),
      name,
    ).toEqual([OTHERS[0]!, id, OTHERS[1]!].map((to) => rsks.get(toHex(to))));
    const sed = kms.encapsulate(id, SSV);
    expect(toHex(sed), name).toBe(seds.get(toHex(id)));
    for (const prepare of [false, true]) {
      const receiver = SakkeReceiver.load(kms, id, keys[1]!.rsk, { prepare });
      expect(toHex(receiver.decapsulate(sed)), name).toBe(toHex(SSV));
      receiver.destroy();
    }
    kms.destroy();
  }

  it("are right where partial sums are equal or opposite", () => {
    const { kms } = kmsOf(3n);
    // A table begins with its rows and the width of its windows.
    const width = core.read(kms.table + 4, 1)[0]!;
    const lanes = core.wasm.laneCount();
    const [r, b] = [sakke.scalarFor(SSV, ID), toInteger(ID)];
    const madeUp = [...sample(treeCollisions(r, b, width)), ...sample(laneCollisions(r, b, width, lanes))];
    expect(madeUp.length).toBeGreaterThan(10);
    let neutral = 0;
    for (const { name, z } of madeUp) {
      if (mod(z + b, q) === 0n) neutral++;
      else expectLikeReference(z, ID, name);
    }
    // Both kinds of sum end with [r b]P + [r]Z; opposite there, nothing is left.
    expect(neutral).toBeGreaterThan(0);
  });

  it.each([
    ["doubles: Z = [b]P", toInteger(ID), ID],
    ["the identifier 0, of one octet", 12345n, new Uint8Array(1)],
    ["the identifier 0, of 128 octets", 12345n, new Uint8Array(128)],
    ["an identifier of order q", 12345n, toOctets(q, 128)],
    ["an identifier above p", 12345n, new Uint8Array(128).fill(0xff)],
    ["the smallest z", 2n, Uint8Array.of(2)],
    ["the largest z, Z = -P, and 1 / (b + z) = 1", q - 1n, Uint8Array.of(2)],
    ["1 / (b + z) = -1", q - 2n, Uint8Array.of(1)],
  ])("are right for %s", (name, z, id) => {
    expectLikeReference(z, id, name);
  });

  describe("an identifier that is -z", () => {
    const z = toInteger(random(100));
    const bad = toOctets(q - z, 128);

    it("gets no encapsulation and no key, at any place of a batch, and spoils nothing after it", () => {
      const { issuer, kms } = kmsOf(z);
      const good = hex(kms.encapsulateBatch(OTHERS, SSV));
      const keys = issuer.issueBatch(OTHERS).map(({ rsk }) => toHex(rsk));
      for (const batch of places(bad, OTHERS)) {
        expect(errorCode(() => kms.encapsulateBatch(batch, SSV))).toBe("crypto/NO_ENCAPSULATION");
        expect(errorCode(() => issuer.issueBatch(batch))).toBe("crypto/NO_KEY");
        expect(hex(kms.encapsulateBatch(OTHERS, SSV))).toEqual(good);
        expect(issuer.issueBatch(OTHERS).map(({ rsk }) => toHex(rsk))).toEqual(keys);
      }
      expect(errorCode(() => kms.encapsulate(bad, SSV))).toBe("crypto/NO_ENCAPSULATION");
      expect(errorCode(() => issuer.issue(bad))).toBe("crypto/NO_KEY");
    });

    it("has no key that validates", () => {
      const { issuer, kms } = kmsOf(z);
      const { rsk } = issuer.issue(OTHERS[0]!);
      expect(kms.validateRsk(bad, rsk)).toBe(false);
      for (const prepare of [false, true]) {
        const attempt = () => SakkeReceiver.load(kms, bad, rsk, { prepare });
        expect(errorCode(attempt)).toBe("validation/BAD_RSK");
      }
    });

    it("is marked by the core, which computes its neighbours correctly", () => {
      const { kms } = kmsOf(z);
      const zt = sakke.publicKeyOf(z);
      const operand = (id: Uint8Array) => ({
        r: toOctets(sakke.scalarFor(SSV, id), 128),
        id: raw.padded(id, 128),
      });
      for (const batch of places(bad, OTHERS)) {
        const out = raw.encapsulate(core, kms.table, batch.map(operand));
        expect(out.map(({ status }) => status)).toEqual(batch.map((id) => (id === bad ? 1 : 0)));
        batch.forEach((id, i) => {
          const power = sakke.power(SAKKE.g, sakke.scalarFor(SSV, id));
          expect(toHex(out[i]!.power)).toBe(toHex(toOctets(power, 128)));
          if (id !== bad) {
            const R = sakke.encapsulate(zt, id, SSV).subarray(0, 257);
            expect(toHex(out[i]!.point)).toBe(toHex(R));
          }
        });
      }
    });

    it("is marked at its place in a batch of several chunks", () => {
      const { kms, issuer } = kmsOf(z);
      const neighbours = Array.from({ length: 69 }, () => ({ r: random(128), id: random(128) }));
      for (const at of [0, 63, 64, 66, 69]) {
        const batch = [...neighbours.slice(0, at), { r: random(128), id: bad }, ...neighbours.slice(at)];
        const marks = raw.encapsulate(core, kms.table, batch).map(({ status }) => status);
        expect(marks).toEqual(batch.map((_, i) => (i === at ? 1 : 0)));
        const ids = batch.map(({ id }) => id);
        expect(errorCode(() => kms.encapsulateBatch(ids, SSV))).toBe("crypto/NO_ENCAPSULATION");
        expect(errorCode(() => issuer.issueBatch(ids))).toBe("crypto/NO_KEY");
      }
    });
  });

  it("are kept from neighbours in a batch of several chunks", () => {
    const { kms } = kmsOf(toInteger(ID));
    const neighbours = Array.from({ length: 69 }, () => random(32));
    const alone = hex(kms.encapsulateBatch(neighbours, SSV));
    const special = toHex(sakke.encapsulate(kms.zt, ID, SSV));
    for (const at of [0, 34, 63, 64, 69]) {
      const batch = [...neighbours.slice(0, at), ID, ...neighbours.slice(at)];
      const made = hex(kms.encapsulateBatch(batch, SSV));
      expect(made[at]).toBe(special);
      expect(made.filter((_, i) => i !== at)).toEqual(alone);
    }
  });

  it("are refused: an identifier without octets, or of more than the core takes", () => {
    const { issuer, kms } = kmsOf(5n);
    for (const id of [new Uint8Array(0), new Uint8Array(129)]) {
      for (const batch of places(id, OTHERS)) {
        expect(errorCode(() => kms.encapsulateBatch(batch, SSV))).toBe("usage/WRONG_LENGTH");
        expect(errorCode(() => issuer.issueBatch(batch))).toBe("usage/WRONG_LENGTH");
      }
      expect(errorCode(() => kms.validateRsk(id, kms.zt))).toBe("usage/WRONG_LENGTH");
    }
  });
});
