/** SAKKE in batches, one by one, and in the BigInt reference: the same octets, in both builds. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { concat, toHex } from "../../../base/bytes.ts";
import { type Core, load } from "../../../bindings/core/core.ts";
import { KmsMaster, type UserKeys } from "../../../bindings/kms.ts";
import { SakkePublicKey, SakkeReceiver } from "../../../bindings/sakke/index.ts";
import { seededRandom } from "../../support/random.ts";
import { BUILDS } from "../../support/raw-core.ts";
import * as eccsi from "../reference/eccsi.ts";
import { toInteger } from "../reference/field.ts";
import * as sakke from "../reference/sakke.ts";

/** Around the lanes of a vector, and around the receivers that share an inversion. */
const SIZES = [0, 1, 2, 3, 4, 5, 63, 64, 65];
const LARGEST = 65;

const random = seededRandom("SAKKE batches");
const master = secrets();
const ssv = random(16);
/** Identifiers of various lengths: UIDs have 32 octets, the core accepts up to 128. */
const ids = Array.from({ length: LARGEST }, (_, i) => random([32, 1, 128, 26, 33][i % 5]!));

function secrets() {
  const z = random(128);
  z[0]! &= 0x1f;
  return { z, ksak: random(32) };
}

const hex = (list: readonly Uint8Array[]) => list.map(toHex);
const hexOfKeys = (keys: readonly UserKeys[]) =>
  keys.map(({ rsk, ssk, pvt }) => toHex(concat(rsk, ssk, pvt)));

/** Results of the reference for `ids`. */
let zt: Uint8Array;
let seds: string[];
let rsks: string[];

beforeAll(() => {
  const z = toInteger(master.z);
  zt = sakke.publicKeyOf(z);
  seds = ids.map((id) => toHex(sakke.encapsulate(zt, id, ssv)));
  rsks = ids.map((id) => toHex(sakke.issueRsk(z, id)));
});

describe.each(BUILDS)("SAKKE in the %s build", (build) => {
  let core: Core;
  let kms: SakkePublicKey;
  let issuer: KmsMaster;

  beforeAll(async () => {
    core = await load({ build });
    issuer = KmsMaster.load(core, master);
    kms = SakkePublicKey.load(core, issuer.zt);
  });
  afterAll(() => core.destroy());

  it("has the public key of the reference", () => {
    expect(toHex(issuer.zt)).toBe(toHex(zt));
  });

  it("encapsulates singly as the reference does", () => {
    expect(ids.map((id) => toHex(kms.encapsulate(id, ssv)))).toEqual(seds);
  });

  it.each(SIZES)("encapsulates to a batch of %i as it does singly", (n) => {
    expect(hex(kms.encapsulateBatch(ids.slice(0, n), ssv))).toEqual(seds.slice(0, n));
    // Other receivers in other lanes.
    expect(hex(kms.encapsulateBatch(ids.slice(LARGEST - n), ssv))).toEqual(seds.slice(LARGEST - n));
  });

  it("encapsulates to the same receiver any number of times in a batch", () => {
    const order = [0, 1, 0, 0, 2, 1, 64, 64];
    const batch = kms.encapsulateBatch(
      order.map((i) => ids[i]!),
      ssv,
    );
    expect(hex(batch)).toEqual(order.map((i) => seds[i]));
    const same = kms.encapsulateBatch(new Array(65).fill(ids[3]), ssv);
    expect(new Set(hex(same))).toEqual(new Set([seds[3]]));
    expect(same).toHaveLength(65);
  });

  it.each(SIZES)("issues a batch of %i as it does singly", (n) => {
    const batch = issuer.issueBatch(ids.slice(0, n));
    expect(batch.map(({ rsk }) => toHex(rsk))).toEqual(rsks.slice(0, n));
    const few = n > 5 ? [0, n - 2, n - 1] : batch.map((_, i) => i);
    expect(hexOfKeys(few.map((i) => batch[i]!))).toEqual(hexOfKeys(few.map((i) => issuer.issue(ids[i]!))));
  });

  it("issues signing keys that the reference accepts", () => {
    issuer.issueBatch(ids).forEach((key, i) => {
      expect(eccsi.validateSigningKey(issuer.kpak, ids[i]!, key), `user ${i}`).toBe(true);
    });
  });

  it("issues the same keys to an identifier that comes twice", () => {
    const batch = issuer.issueBatch([ids[0]!, ids[1]!, ids[0]!, ids[0]!]);
    expect(hexOfKeys(batch)).toEqual([0, 1, 0, 0].map((i) => hexOfKeys(batch)[i]));
    expect(hexOfKeys(batch)[0]).not.toBe(hexOfKeys(batch)[1]);
  });

  it("decapsulates as the reference does, prepared and not", () => {
    const sample = [0, 1, 2, 33, 64];
    const seen = sample.map((i) => {
      const { rsk } = issuer.issue(ids[i]!);
      const sed = kms.encapsulate(ids[i]!, ssv);
      const opened = [false, true].map((prepare) => {
        const receiver = SakkeReceiver.load(kms, ids[i]!, rsk, { prepare });
        const out = receiver.decapsulate(sed);
        receiver.destroy();
        return toHex(out);
      });
      return [...opened, toHex(sakke.decapsulate(zt, ids[i]!, rsk, sed))];
    });
    expect(seen).toEqual(sample.map(() => new Array(3).fill(toHex(ssv))));
  });
});

describe("large batches of SAKKE operations", () => {
  let fast: Core;

  beforeAll(async () => {
    fast = await load();
  });
  afterAll(() => fast.destroy());

  it("of 1000 receivers equal single encapsulations, and those of the other build", async () => {
    const many = Array.from({ length: 1000 }, () => random(32));
    const kms = SakkePublicKey.load(fast, zt);
    const batch = hex(kms.encapsulateBatch(many, ssv));
    expect(batch).toEqual(many.map((id) => toHex(kms.encapsulate(id, ssv))));

    const other = await load({ build: "simd" });
    expect(hex(SakkePublicKey.load(other, zt).encapsulateBatch(many, ssv))).toEqual(batch);
    other.destroy();
  });

  it("of 1000 users equal single issues", () => {
    const many = Array.from({ length: 1000 }, () => random(32));
    const issuer = KmsMaster.load(fast, master);
    expect(hexOfKeys(issuer.issueBatch(many))).toEqual(hexOfKeys(many.map((id) => issuer.issue(id))));
  });

  it("go on where one call of the core ends", () => {
    const many = Array.from({ length: 1027 }, (_, i) => ids[i % LARGEST]!);
    const kms = SakkePublicKey.load(fast, zt);
    expect(hex(kms.encapsulateBatch(many, ssv))).toEqual(many.map((_, i) => seds[i % LARGEST]));
    const rsksOfMany = KmsMaster.load(fast, master)
      .issueBatch(many)
      .map(({ rsk }) => toHex(rsk));
    expect(rsksOfMany).toEqual(many.map((_, i) => rsks[i % LARGEST]));
  });
});
