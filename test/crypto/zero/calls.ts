/** Calls of the bindings on fixed keys and data, with what they end in. */
import { expect } from "vitest";
import { concat } from "../../../base/bytes.ts";
import { type Build, type Core, load } from "../../../bindings/core/core.ts";
import { EccsiPublicKey, EccsiSigner } from "../../../bindings/eccsi/index.ts";
import { KmsMaster } from "../../../bindings/kms.ts";
import { SakkePublicKey, SakkeReceiver } from "../../../bindings/sakke/index.ts";
import { flip } from "../../support/error-code.ts";
import { orderTwo, plusOrderTwo } from "../../support/points.ts";
import { seededRandom } from "../../support/random.ts";
import { mod, toInteger, toOctets } from "../reference/field.ts";
import { SAKKE } from "../reference/params.ts";
import * as sakke from "../reference/sakke.ts";

const random = seededRandom("wiping");
export const SECRETS = { z: concat(Uint8Array.of(0x11), random(127)), ksak: random(32) };
export const ID = random(32);
export const NO_KEY = toOctets(mod(-toInteger(SECRETS.z), SAKKE.q), 128);
export const SSV = random(16);
export const MESSAGE = random(60);
export const MANY = Array.from({ length: 70 }, () => random(32));

/** Made on a core of their own, so that the core under test has not seen the secrets yet. */
const maker = await load();
const master = KmsMaster.load(maker, SECRETS);
export const { zt, kpak } = master;
export const keys = master.issue(ID);
const others = master.issue(MANY[0]!);
export const sed = SakkePublicKey.load(maker, zt).encapsulate(ID, SSV);
const own = EccsiSigner.load(EccsiPublicKey.load(maker, kpak), ID, keys.ssk, keys.pvt);
export const signature = own.sign(MESSAGE, random);
maker.destroy();

export interface Place {
  readonly core: Core;
  readonly kms: SakkePublicKey;
  readonly verifier: EccsiPublicKey;
}

/** A core with nothing but public tables in it. */
export async function publicPlace(build: Build): Promise<Place> {
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

/** Returns a copy of a point with one bit of y changed. */
const offCurve = (point: Uint8Array) => flip(point, 2000);

export type Call = (place: Place) => unknown;

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
  "verify many": [
    "none",
    ({ verifier }) => {
      const list = MANY.map((id, i) => ({ id: i === 3 ? ID : id, message: MESSAGE, signature }));
      expect(verifier.verifyBatch(list)).toEqual(MANY.map((_, i) => i === 3));
    },
  ],
  "verify a bad signature": [
    "none",
    ({ verifier }) => expect(verifier.verify(ID, MESSAGE, flip(signature, 77))).toBe(false),
  ],
};

export function signer(verifier: EccsiPublicKey): EccsiSigner {
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

/** All of them by name. */
export const LIST = Object.entries(CALLS).map(([name, [outcome, call]]) => ({ name, outcome, call }));
