/** No call leaves a secret in linear memory, whether it succeeds, fails, or breaks off in the middle. */
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { concat } from "../../bindings/bytes.ts";
import { type Core, load } from "../../bindings/core.ts";
import { EccsiPublicKey, EccsiSigner } from "../../bindings/eccsi.ts";
import { KmsMaster, type UserKeys } from "../../bindings/kms.ts";
import { SakkePublicKey, SakkeReceiver } from "../../bindings/sakke.ts";
import { mod, toOctets } from "../reference/field.ts";
import { SAKKE } from "../reference/params.ts";
import * as sakke from "../reference/sakke.ts";
import { holds, isClear, MemoryWatch } from "../support/memory.ts";
import { orderTwo, plusOrderTwo } from "../support/points.ts";
import { seededRandom } from "../support/random.ts";
import { BUILDS } from "../support/raw-core.ts";
import { errorCode, flip } from "../support/refusal.ts";

const random = seededRandom("wiping");
const SECRETS = { z: concat(Uint8Array.of(0x11), random(127)), ksak: random(32) };
const ID = random(32);
const NO_KEY = toOctets(mod(-BigInt(`0x${Buffer.from(SECRETS.z).toString("hex")}`), SAKKE.q), 128);
const SSV = random(16);
const MESSAGE = random(60);
const MANY = Array.from({ length: 70 }, () => random(32));

/** Keys and data made elsewhere, so that the core under test has not seen the secrets yet. */
let keys: UserKeys;
let others: UserKeys;
let kpak: Uint8Array;
let zt: Uint8Array;
let sed: Uint8Array;
let signature: Uint8Array;

beforeAll(async () => {
  const core = await load();
  const master = KmsMaster.load(core, SECRETS);
  ({ zt, kpak } = master);
  [keys, others] = master.issueBatch([ID, MANY[0]!]) as [UserKeys, UserKeys];
  sed = SakkePublicKey.load(core, zt).encapsulate(ID, SSV);
  const eccsi = EccsiPublicKey.load(core, kpak);
  signature = EccsiSigner.load(eccsi, ID, keys.ssk, keys.pvt).sign(MESSAGE, random);
});

interface Place {
  readonly core: Core;
  readonly kms: SakkePublicKey;
  readonly verifier: EccsiPublicKey;
}

/** A core with nothing but public tables in it. */
async function publicPlace(build: (typeof BUILDS)[number]): Promise<Place> {
  const core = await load({ build });
  const kms = SakkePublicKey.load(core, zt);
  const verifier = EccsiPublicKey.load(core, kpak);
  // Tables are made at their first use, with keys of somebody else here.
  const P = sakke.curve.encode(sakke.P);
  expect(kms.validateRsk(MANY[1]!, P)).toBe(false);
  expect(verifier.verify(ID, MESSAGE, flip(signature, 300))).toBe(false);
  expect(verifier.validateSsk(ID, flip(keys.ssk, 9), keys.pvt)).toBe(false);
  kms.encapsulate(MANY[1]!, new Uint8Array(16));
  return { core, kms, verifier };
}

/** A SAKKE point off the curve, and one of order 2q. */
const offCurve = (point: Uint8Array) => flip(point, 2000);

type Call = (place: Place) => unknown;

/** Calls with what they end in. They destroy what they make. */
const CALLS: Record<string, [outcome: string, call: Call]> = {
  "load a KMS": ["none", ({ core }) => KmsMaster.load(core, SECRETS).destroy()],
  "load a KMS with z = q": [
    "validation/BAD_MASTER_SECRET",
    ({ core }) => KmsMaster.load(core, { ...SECRETS, z: toOctets(SAKKE.q, 128) }),
  ],
  "load a KMS with KSAK = 0": [
    "validation/BAD_MASTER_SECRET",
    ({ core }) => KmsMaster.load(core, { ...SECRETS, ksak: new Uint8Array(32) }),
  ],
  "generate a KMS": ["none", ({ core }) => KmsMaster.generate(core, seededRandom("z")).destroy()],
  "generate a KMS without randomness": [
    "usage/BAD_RANDOM",
    ({ core }) => KmsMaster.generate(core, (n) => new Uint8Array(n)),
  ],
  "issue keys": ["none", ({ core }) => KmsMaster.load(core, SECRETS).issue(ID)],
  "issue keys to many": ["none", ({ core }) => KmsMaster.load(core, SECRETS).issueBatch(MANY)],
  "issue to an identifier without keys": [
    "crypto/NO_KEY",
    ({ core }) => KmsMaster.load(core, SECRETS).issueBatch([ID, NO_KEY, ID]),
  ],
  "issue to an identifier that is too long": [
    "usage/WRONG_LENGTH",
    ({ core }) => KmsMaster.load(core, SECRETS).issueBatch([ID, new Uint8Array(129)]),
  ],
  encapsulate: ["none", ({ kms }) => kms.encapsulate(ID, SSV)],
  "encapsulate to many": ["none", ({ kms }) => kms.encapsulateBatch(MANY, SSV)],
  "encapsulate to an identifier without keys": [
    "crypto/NO_ENCAPSULATION",
    ({ kms }) => kms.encapsulateBatch([ID, NO_KEY, ID], SSV),
  ],
  "encapsulate to an empty identifier": [
    "usage/WRONG_LENGTH",
    ({ kms }) => kms.encapsulateBatch([ID, new Uint8Array(0)], SSV),
  ],
  "validate an RSK": ["none", ({ kms }) => expect(kms.validateRsk(ID, keys.rsk)).toBe(true)],
  "validate the RSK of another": ["none", ({ kms }) => expect(kms.validateRsk(ID, others.rsk)).toBe(false)],
  "validate an RSK off the curve": [
    "none",
    ({ kms }) => expect(kms.validateRsk(ID, offCurve(keys.rsk))).toBe(false),
  ],
  "validate an RSK of order 2q": [
    "none",
    ({ kms }) => expect(kms.validateRsk(ID, plusOrderTwo(keys.rsk))).toBe(false),
  ],
  "validate an RSK of order 2": ["none", ({ kms }) => expect(kms.validateRsk(ID, orderTwo())).toBe(false)],
  "validate an RSK for an identifier without keys": [
    "none",
    ({ kms }) => expect(kms.validateRsk(NO_KEY, keys.rsk)).toBe(false),
  ],
  "load a signing key": [
    "none",
    ({ verifier }) => EccsiSigner.load(verifier, ID, keys.ssk, keys.pvt).destroy(),
  ],
  "load the signing key of another": [
    "validation/BAD_SSK",
    ({ verifier }) => EccsiSigner.load(verifier, ID, others.ssk, others.pvt),
  ],
  "load a signing key with a PVT off the curve": [
    "validation/BAD_SSK",
    ({ verifier }) => EccsiSigner.load(verifier, ID, keys.ssk, flip(keys.pvt, 400)),
  ],
  "load a signing key of 0": [
    "validation/BAD_SSK",
    ({ verifier }) => EccsiSigner.load(verifier, ID, new Uint8Array(32), keys.pvt),
  ],
  sign: ["none", ({ verifier }) => signer(verifier).sign(MESSAGE, seededRandom("j"))],
  "sign many": ["none", ({ verifier }) => signer(verifier).signBatch(MANY, seededRandom("j"))],
  "sign without randomness": [
    "usage/BAD_RANDOM",
    ({ verifier }) => signer(verifier).signBatch(MANY, () => new Uint8Array(32)),
  ],
  verify: ["none", ({ verifier }) => expect(verifier.verify(ID, MESSAGE, signature)).toBe(true)],
  "verify a bad signature": [
    "none",
    ({ verifier }) => expect(verifier.verify(ID, MESSAGE, flip(signature, 77))).toBe(false),
  ],
};

function signer(verifier: EccsiPublicKey): EccsiSigner {
  return EccsiSigner.load(verifier, ID, keys.ssk, keys.pvt);
}

for (const prepare of [false, true]) {
  const name = prepare ? "prepared receiver" : "receiver";
  const using = ({ kms }: Place, use: (receiver: SakkeReceiver) => unknown) => {
    const receiver = SakkeReceiver.load(kms, ID, keys.rsk, { prepare });
    try {
      return use(receiver);
    } finally {
      receiver.destroy();
    }
  };
  const loading =
    (rsk: () => Uint8Array, id = ID): Call =>
    ({ kms }) =>
      SakkeReceiver.load(kms, id, rsk(), { prepare });
  Object.assign(CALLS, {
    [`${name}: load`]: ["none", (place) => using(place, () => undefined)],
    [`${name}: load the key of another`]: ["validation/BAD_RSK", loading(() => others.rsk)],
    [`${name}: load a key off the curve`]: ["validation/BAD_RSK", loading(() => offCurve(keys.rsk))],
    [`${name}: load a key of order 2q`]: ["validation/BAD_RSK", loading(() => plusOrderTwo(keys.rsk))],
    [`${name}: load a key of order 2`]: ["validation/BAD_RSK", loading(orderTwo)],
    [`${name}: load without keys`]: ["validation/BAD_RSK", loading(() => keys.rsk, NO_KEY)],
    [`${name}: decapsulate`]: [
      "none",
      (place) => using(place, (receiver) => expect(receiver.decapsulate(sed)).toEqual(SSV)),
    ],
    [`${name}: decapsulate with another hint`]: [
      "verification/SAKKE_CHECK_FAILED",
      (place) => using(place, (receiver) => receiver.decapsulate(flip(sed, 8 * 270))),
    ],
    [`${name}: decapsulate what is for another`]: [
      "verification/SAKKE_CHECK_FAILED",
      (place) => using(place, (receiver) => receiver.decapsulate(place.kms.encapsulate(MANY[0]!, SSV))),
    ],
    [`${name}: decapsulate a point off the curve`]: [
      "validation/BAD_POINT",
      (place) => using(place, (receiver) => receiver.decapsulate(offCurve(sed))),
    ],
    [`${name}: decapsulate a point of order 2`]: [
      "verification/SAKKE_CHECK_FAILED",
      (place) => using(place, (receiver) => receiver.decapsulate(concat(orderTwo(), sed.subarray(257)))),
    ],
    [`${name}: decapsulate a point of order 2q`]: [
      "verification/SAKKE_CHECK_FAILED",
      (place) =>
        using(place, (receiver) =>
          receiver.decapsulate(concat(plusOrderTwo(sed.subarray(0, 257)), sed.subarray(257))),
        ),
    ],
  } satisfies typeof CALLS);
}

const LIST = Object.entries(CALLS).map(([name, [outcome, call]]) => ({ name, outcome, call }));

describe.each(BUILDS)("linear memory of the %s build", (build) => {
  let place: Place;
  let watch: MemoryWatch;

  beforeAll(async () => {
    place = await publicPlace(build);
  });
  beforeEach(() => {
    watch = new MemoryWatch(place.core);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it.each(LIST)("is as before after: $name", ({ outcome, call }) => {
    expect(errorCode(() => call(place))).toBe(outcome);
    expect(watch.changes()).toEqual([]);
  });

  it("shows what a call leaves: the watch and the search see blocks that are not cleared", () => {
    vi.spyOn(place.core.arena, "release").mockImplementation(() => undefined);
    KmsMaster.load(place.core, SECRETS).issue(ID);
    expect(watch.changes()).not.toEqual([]);
    expect(holds(place.core, SECRETS.z)).toBe(true);
    expect(holds(place.core, SECRETS.ksak)).toBe(true);
  });
});

describe.each(BUILDS)("a call that breaks off in the %s build", (build) => {
  let place: Place;
  let watch: MemoryWatch;

  beforeAll(async () => {
    place = await publicPlace(build);
  });
  beforeEach(() => {
    watch = new MemoryWatch(place.core);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  const secretCalls = LIST.filter(({ outcome, name }) => outcome === "none" && !/many|^verify/.test(name));

  it.each(secretCalls)("leaves nothing at any of its steps: $name", ({ call }) => {
    const exports = Object.entries(place.core.wasm as unknown as Record<string, unknown>)
      .filter(([name, value]) => typeof value === "function" && /^(sakke|eccsi)/.test(name))
      .map(([name]) => name);
    let broken = 0;
    for (const name of exports) {
      if (/(Bytes|Scratch)$/.test(name)) continue;
      vi.spyOn(place.core.wasm, name as "sakkePair").mockImplementation(() => {
        throw new Error("stopped");
      });
      try {
        call(place);
      } catch (error) {
        expect((error as Error).message).toBe("stopped");
        broken++;
      }
      vi.restoreAllMocks();
      expect(watch.changes(), `stopped at ${name}`).toEqual([]);
    }
    expect(broken).toBeGreaterThan(0);
  });

  it.each(secretCalls)("leaves nothing when memory runs out at any block: $name", ({ call }) => {
    const { arena } = place.core;
    const alloc = arena.alloc.bind(arena);
    for (let limit = 0, done = false; !done; limit++) {
      let count = 0;
      vi.spyOn(arena, "alloc").mockImplementation((bytes) => {
        if (count++ === limit) throw new Error("full");
        return alloc(bytes);
      });
      try {
        call(place);
        done = true;
      } catch (error) {
        expect((error as Error).message).toBe("full");
      }
      vi.restoreAllMocks();
      expect(watch.changes(), `full at block ${limit}`).toEqual([]);
    }
  });

  it("in the random source leaves nothing", () => {
    const signing = signer(place.verifier);
    let left = 40;
    const failing = (n: number) => {
      if (left-- === 0) throw new Error("no randomness");
      return random(n);
    };
    expect(() => signing.signBatch(MANY, failing)).toThrow("no randomness");
    expect(watch.changes()).toEqual([]);
    expect(() => KmsMaster.generate(place.core, failing)).not.toThrow();
    left = 1;
    expect(() => KmsMaster.generate(place.core, failing)).toThrow("no randomness");
    expect(watch.changes()).toEqual([]);
  });
});

describe.each(BUILDS)("live keys in the %s build", (build) => {
  it("are in memory only as prepared tables, and not after destroy()", async () => {
    const place = await publicPlace(build);
    const watch = new MemoryWatch(place.core);
    const used = place.core.usedBytes;
    const receivers = [0, 1, 2].map(() => SakkeReceiver.load(place.kms, ID, keys.rsk, { prepare: true }));
    expect(watch.changes()).not.toEqual([]);
    const live = new MemoryWatch(place.core);
    for (const receiver of receivers) {
      expect(receiver.decapsulate(sed)).toEqual(SSV);
      expect(errorCode(() => receiver.decapsulate(flip(sed, 8 * 260)))).toBe(
        "verification/SAKKE_CHECK_FAILED",
      );
      expect(live.changes()).toEqual([]);
    }
    for (const secret of [SSV, keys.rsk.subarray(1, 129), keys.rsk.subarray(129), keys.ssk, SECRETS.z])
      expect(holds(place.core, secret)).toBe(false);
    // Out of order, so that blocks are merged and used again.
    receivers[1]!.destroy();
    const again = SakkeReceiver.load(place.kms, ID, keys.rsk, { prepare: true });
    for (const receiver of [receivers[0]!, again, receivers[2]!]) receiver.destroy();
    expect(watch.changes()).toEqual([]);
    expect(place.core.usedBytes).toBe(used);
  });

  it("and public tables leave nothing when all objects are destroyed", async () => {
    const core = await load({ build });
    SakkePublicKey.load(core, zt).destroy();
    const first = EccsiPublicKey.load(core, kpak);
    expect(first.verify(ID, MESSAGE, signature)).toBe(true);
    first.destroy();
    const watch = new MemoryWatch(core);
    const kms = SakkePublicKey.load(core, zt);
    const verifier = EccsiPublicKey.load(core, kpak);
    // A known signer has a table of its own.
    for (let time = 0; time < 6; time++) expect(verifier.verify(ID, MESSAGE, signature)).toBe(true);
    expect(kms.validateRsk(ID, keys.rsk)).toBe(true);
    kms.destroy();
    verifier.destroy();
    expect(watch.changes()).toEqual([]);
  });

  it("go with the core: all of its memory is zero after destroy()", async () => {
    const { core, kms, verifier } = await publicPlace(build);
    const receiver = SakkeReceiver.load(kms, ID, keys.rsk, { prepare: true });
    const master = KmsMaster.load(core, SECRETS);
    const signing = signer(verifier);
    expect(isClear(core)).toBe(false);
    core.destroy();
    expect(isClear(core)).toBe(true);
    const uses: Call[] = [
      () => kms.encapsulate(ID, SSV),
      () => kms.validateRsk(ID, keys.rsk),
      () => receiver.decapsulate(sed),
      () => SakkeReceiver.load(kms, ID, keys.rsk),
      () => SakkeReceiver.load(kms, ID, keys.rsk, { prepare: true }),
      () => verifier.verify(ID, MESSAGE, signature),
      () => signing.sign(MESSAGE, random),
      () => master.issue(ID),
      () => SakkePublicKey.load(core, zt),
      () => EccsiPublicKey.load(core, kpak),
      () => KmsMaster.load(core, SECRETS),
    ];
    for (const use of uses) expect(errorCode(() => use({ core, kms, verifier }))).toBe("usage/DESTROYED");
    for (const object of [receiver, signing, master, kms, verifier, core]) object.destroy();
    expect(isClear(core)).toBe(true);
  });
});

describe("objects after destroy()", () => {
  it("refuse every use, and may be destroyed again", async () => {
    const { core, kms, verifier } = await publicPlace("fma");
    // The same KMS, still in use: its tables must stay.
    const keptKms = SakkePublicKey.load(core, zt);
    const keptVerifier = EccsiPublicKey.load(core, kpak);
    const master = KmsMaster.load(core, SECRETS);
    const signing = signer(verifier);
    const receivers = [false, true].map((prepare) => SakkeReceiver.load(kms, ID, keys.rsk, { prepare }));
    for (const object of [master, signing, ...receivers, kms, verifier]) {
      object.destroy();
      object.destroy();
    }
    const uses: (() => unknown)[] = [
      () => master.issue(ID),
      () => master.exportSecrets(),
      () => signing.sign(MESSAGE, random),
      () => signing.signBatch([], random),
      ...receivers.map((receiver) => () => receiver.decapsulate(sed)),
      () => kms.encapsulate(ID, SSV),
      () => kms.encapsulateBatch([], SSV),
      () => kms.validateRsk(ID, keys.rsk),
      () => SakkeReceiver.load(kms, ID, keys.rsk),
      () => verifier.verify(ID, MESSAGE, signature),
      () => verifier.validateSsk(ID, keys.ssk, keys.pvt),
      () => EccsiSigner.load(verifier, ID, keys.ssk, keys.pvt),
    ];
    expect(uses.map(errorCode)).toEqual(uses.map(() => "usage/DESTROYED"));
    expect(keptKms.encapsulate(ID, SSV)).toEqual(sed);
    expect(keptVerifier.verify(ID, MESSAGE, signature)).toBe(true);
  });

  it("have cleared the octets that a random source gave them", async () => {
    const core = await load();
    const given: Uint8Array[] = [];
    const source = seededRandom("given");
    const recording = (n: number) => {
      const octets = source(n);
      given.push(octets);
      return octets;
    };
    const master = KmsMaster.generate(core, recording);
    expect(given.length).toBeGreaterThan(1);
    master.destroy();
    expect(given.flatMap((octets) => [...octets]).filter((octet) => octet !== 0)).toEqual([]);

    given.length = 0;
    const verifier = EccsiPublicKey.load(core, kpak);
    signer(verifier).signBatch([MESSAGE, MESSAGE], recording);
    expect(given).toHaveLength(2);
    expect(given.flatMap((octets) => [...octets]).filter((octet) => octet !== 0)).toEqual([]);
  });

  it("keep no reference to what they were given", async () => {
    const { kms, verifier } = await publicPlace("fma");
    const [rsk, ssk, pvt, id] = [keys.rsk, keys.ssk, keys.pvt, ID].map((octets) => octets.slice()) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    const receivers = [false, true].map((prepare) => SakkeReceiver.load(kms, id, rsk, { prepare }));
    const signing = EccsiSigner.load(verifier, id, ssk, pvt);
    for (const given of [rsk, ssk, pvt, id]) given.fill(0);
    for (const receiver of receivers) expect(receiver.decapsulate(sed)).toEqual(SSV);
    expect(verifier.verify(ID, MESSAGE, signing.sign(MESSAGE, random))).toBe(true);
  });
});
