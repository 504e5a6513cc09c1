/** Earlier calls of a core, successful or not, do not change the result of a call. */
import { beforeAll, describe, expect, it } from "vitest";
import { concat, toHex } from "../../../base/bytes.ts";
import { EccsiSigner } from "../../../bindings/eccsi/index.ts";
import { KmsMaster } from "../../../bindings/kms.ts";
import { SakkeReceiver } from "../../../bindings/sakke/index.ts";
import { errorCode, flip } from "../../support/error-code.ts";
import { seededRandom } from "../../support/random.ts";
import { BUILDS } from "../../support/raw-core.ts";
import { randomBelow } from "../reference/field.ts";
import * as calls from "./calls.ts";
import { ID, keys, MANY, MESSAGE, type Place, publicPlace, SSV } from "./calls.ts";

const OTHER_SSV = SSV.map((octet) => octet ^ 0xff);

/** Calls that give a result, in hex. */
const JOBS: Record<string, (place: Place) => string> = {
  generate: ({ core }) => toHex(KmsMaster.generate(core, seededRandom("z")).zt),
  issue: ({ core }) => {
    const { rsk, ssk, pvt } = KmsMaster.load(core, calls.SECRETS).issue(MANY[2]!);
    return toHex(concat(rsk, ssk, pvt));
  },
  "issue to many": ({ core }) => {
    const issued = KmsMaster.load(core, calls.SECRETS).issueBatch(MANY.slice(0, 5));
    return toHex(concat(...issued.flatMap(({ rsk, ssk, pvt }) => [rsk, ssk, pvt])));
  },
  encapsulate: ({ kms }) => toHex(kms.encapsulate(ID, SSV)),
  "encapsulate another": ({ kms }) => toHex(kms.encapsulate(ID, OTHER_SSV)),
  "encapsulate to many": ({ kms }) => toHex(concat(...kms.encapsulateBatch(MANY, SSV))),
  decapsulate: ({ kms }) => toHex(SakkeReceiver.load(kms, ID, keys.rsk).decapsulate(calls.sed)),
  "decapsulate, prepared": ({ kms }) => {
    const receiver = SakkeReceiver.load(kms, ID, keys.rsk, { prepare: true });
    const out = receiver.decapsulate(calls.sed);
    receiver.destroy();
    return toHex(out);
  },
  sign: ({ verifier }) => toHex(calls.signer(verifier).sign(MESSAGE, seededRandom("j"))),
  "sign many": ({ verifier }) =>
    toHex(concat(...calls.signer(verifier).signBatch(MANY.slice(0, 9), seededRandom("k")))),
  "verify good and bad": ({ verifier }) =>
    [calls.signature, flip(calls.signature, 100), flip(calls.signature, 300), calls.signature]
      .map((signature) => verifier.verify(ID, MESSAGE, signature))
      .join(),
  "validate good and bad": ({ kms, verifier }) =>
    [
      kms.validateRsk(ID, keys.rsk),
      kms.validateRsk(MANY[0]!, keys.rsk),
      verifier.validateSsk(ID, keys.ssk, keys.pvt),
      verifier.validateSsk(MANY[0]!, keys.ssk, keys.pvt),
    ].join(),
};

const failing = calls.LIST.filter(({ outcome }) => outcome !== "none");
const random = seededRandom("order");

function shuffled<T>(items: readonly T[]): T[] {
  const rest = [...items];
  return items.map(() => rest.splice(Number(randomBelow(BigInt(rest.length), random)), 1)[0]!);
}

/** Each on a core of its own. */
const alone: Record<string, string> = {};

beforeAll(async () => {
  for (const [name, job] of Object.entries(JOBS)) {
    const place = await publicPlace("fma");
    alone[name] = job(place);
    place.core.destroy();
  }
});

describe.each(BUILDS)("results in the %s build", (build) => {
  it("do not depend on the calls before", async () => {
    const place = await publicPlace(build);
    const steps = shuffled([
      ...Object.entries(JOBS).flatMap(([name, job]) => [1, 2].map(() => () => [name, job(place)])),
      ...failing.map(({ name, outcome, call }) => () => {
        expect(
          errorCode(() => call(place)),
          name,
        ).toBe(outcome);
        return undefined;
      }),
    ]);
    const results = steps.flatMap((step) => step() ?? []);
    expect(results).toHaveLength(4 * Object.keys(JOBS).length);
    for (let i = 0; i < results.length; i += 2) expect(results[i + 1], results[i]).toBe(alone[results[i]!]);
  });

  it("do not mix for two keys on one core", async () => {
    const place = await publicPlace(build);
    const { core, kms, verifier } = place;
    const master = KmsMaster.load(core, calls.SECRETS);
    const users = MANY.slice(0, 4).map((id, i) => {
      const { rsk, ssk, pvt } = master.issue(id);
      return {
        id,
        receiver: SakkeReceiver.load(kms, id, rsk, { prepare: i % 2 === 0 }),
        signer: EccsiSigner.load(verifier, id, ssk, pvt),
      };
    });
    for (const { id, receiver, signer } of shuffled([...users, ...users])) {
      const sed = kms.encapsulate(id, SSV);
      for (const other of users) {
        const outcome = errorCode(() => other.receiver.decapsulate(sed));
        expect(outcome).toBe(other.id === id ? "none" : "verification/SAKKE_CHECK_FAILED");
      }
      expect(toHex(receiver.decapsulate(sed))).toBe(toHex(SSV));
      const signature = signer.sign(MESSAGE, random);
      expect(users.map((user) => verifier.verify(user.id, MESSAGE, signature))).toEqual(
        users.map((user) => user.id === id),
      );
    }
  });
});
