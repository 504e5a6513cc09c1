/** ECCSI in batches, one by one, and in the BigInt reference: the same octets, in both builds. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { concat, toHex } from "../../../base/bytes.ts";
import { type Core, load } from "../../../bindings/core/core.ts";
import {
  EccsiPublicKey,
  EccsiSigner,
  SIGNATURE_BYTES,
  type SignedMessage,
} from "../../../bindings/eccsi/index.ts";
import { errorCode, flip } from "../../support/error-code.ts";
import { seededRandom } from "../../support/random.ts";
import { BUILDS } from "../../support/raw-core.ts";
import * as reference from "../reference/eccsi.ts";
import { randomBelow, toInteger } from "../reference/field.ts";
import { P256 } from "../reference/params.ts";

const SIZES = [0, 1, 2, 3, 4, 5, 63, 64, 65];
const LARGEST = 65;

const random = seededRandom("ECCSI batches");
const ksak = 1n + randomBelow(P256.q - 1n, random);
const id = random(32);
const messages = Array.from({ length: LARGEST }, (_, i) => random([0, 1, 500, 64, 55][i % 5]!));

const kpak = reference.kpakOf(ksak);
const key = reference.issueSigningKey(ksak, id, 1n + randomBelow(P256.q - 1n, random));

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Signatures by as many signers, some of them changed, with the verdict of the reference. */
const strangers = range(LARGEST).map((i) => {
  const user = random(32);
  const keys = reference.issueSigningKey(ksak, user, 1n + randomBelow(P256.q - 1n, random));
  const message = messages[i]!;
  const made = reference.sign(kpak, user, keys, message, 1n + randomBelow(P256.q - 1n, random));
  const signature = i % 4 === 3 ? flip(made, 61 * i) : made;
  return { id: user, message, signature, good: reference.verify(kpak, user, message, signature) };
});

const hex = (list: readonly Uint8Array[]) => list.map(toHex);
/** One stream of ephemeral scalars for every way to sign. */
const ephemerals = () => seededRandom("ephemerals");

/** Signatures of the reference, with the scalars of `ephemerals` in turn. */
let signatures: string[];

beforeAll(() => {
  const draw = ephemerals();
  signatures = messages.map((message) => toHex(reference.sign(kpak, id, key, message, toInteger(draw(32)))));
});

describe.each(BUILDS)("ECCSI in the %s build", (build) => {
  let core: Core;
  let kms: EccsiPublicKey;
  let signer: EccsiSigner;

  beforeAll(async () => {
    core = await load({ build });
    kms = EccsiPublicKey.load(core, kpak);
    signer = EccsiSigner.load(kms, id, key.ssk, key.pvt);
  });
  afterAll(() => core.destroy());

  it("signs singly as the reference does", () => {
    const draw = ephemerals();
    expect(messages.map((message) => toHex(signer.sign(message, draw)))).toEqual(signatures);
  });

  it.each(SIZES)("signs a batch of %i as it signs singly", (n) => {
    expect(hex(signer.signBatch(messages.slice(0, n), ephemerals()))).toEqual(signatures.slice(0, n));
  });

  it("signs the same message twice in a batch with different scalars", () => {
    const batch = hex(signer.signBatch(new Array(6).fill(messages[0]), ephemerals()));
    const draw = ephemerals();
    expect(batch).toEqual(batch.map(() => toHex(signer.sign(messages[0]!, draw))));
    expect(new Set(batch).size).toBe(6);
  });

  it("verifies what the reference verifies, with known and unknown signers alike", () => {
    const batch = signer.signBatch(messages.slice(0, 12), random);
    const stranger = () => EccsiPublicKey.load(core, kpak);
    batch.forEach((signature, i) => {
      const message = messages[i]!;
      const bad = flip(signature, 8 * (5 * i) + i);
      // From the fourth good signature on the signer has a table of its own.
      expect(kms.verify(id, message, signature), `signature ${i}`).toBe(true);
      expect(kms.verify(id, message, bad), `bad signature ${i}`).toBe(false);
      expect(reference.verify(kpak, id, message, signature)).toBe(true);
      expect(reference.verify(kpak, id, message, bad)).toBe(false);
      const once = stranger();
      expect([once.verify(id, message, bad), once.verify(id, message, signature)]).toEqual([false, true]);
      once.destroy();
    });
  });

  it.each(SIZES)(
    "verifies a batch of %i new signers as the reference does, with bad signatures among them",
    (n) => {
      const once = EccsiPublicKey.load(core, kpak);
      const list = strangers.slice(0, n);
      expect(once.verifyBatch(list)).toEqual(list.map(({ good }) => good));
      once.destroy();
    },
  );

  it("verifies in a batch as one by one, whatever single octet of a signature is another", () => {
    const made = strangers.filter(({ good }) => good);
    const list: SignedMessage[] = range(SIGNATURE_BYTES).map((at) => {
      const { id, message, signature } = made[at % made.length]!;
      const bad = signature.slice();
      bad[at]! ^= 1 + (random(1)[0]! % 255);
      return { id, message, signature: bad };
    });
    // The bits of one signature, too, and signatures that are too short, too long or empty.
    const [first] = made;
    for (const bit of range(40)) list.push({ ...first!, signature: flip(first!.signature, 26 * bit + 1) });
    for (const length of [0, 1, SIGNATURE_BYTES - 1, SIGNATURE_BYTES + 1]) {
      const signature = new Uint8Array(length);
      signature.set(first!.signature.subarray(0, length));
      list.push({ ...first!, signature });
    }
    list.push(first!);
    const once = EccsiPublicKey.load(core, kpak);
    expect(once.verifyBatch(list)).toEqual(list.map((signed) => signed === first));
    for (const { id, message, signature } of list.slice(0, -1)) {
      expect(once.verify(id, message, signature)).toBe(false);
    }
    once.destroy();
  });

  it("verifies a batch of known signers, new ones, and one signer many times", () => {
    const own = EccsiPublicKey.load(core, kpak);
    const before = core.usedBytes;
    const good = strangers.filter((signed) => signed.good);
    // Signers with tables, whom the new ones of the same batch make the key forget.
    for (const _ of range(4)) own.verifyBatch(good.slice(0, 6));
    expect(core.usedBytes, "tables of the first signers").toBeGreaterThan(before);
    const more = range(70).map((i) => {
      const user = concat(id, Uint8Array.of(i));
      const keys = reference.issueSigningKey(ksak, user, BigInt(i + 2));
      const signing = EccsiSigner.load(own, user, keys.ssk, keys.pvt);
      return { id: user, message: messages[2]!, signature: signing.sign(messages[2]!, random), good: true };
    });
    const list = [
      ...good.slice(0, 3),
      ...more,
      ...good.slice(0, 6),
      ...new Array(5).fill(more[0]!),
      strangers[3]!,
    ];
    expect(own.verifyBatch(list)).toEqual(list.map((signed) => signed.good));
    own.destroy();
    expect(core.usedBytes).toBe(before);
  });

  it("refuses what is no list of signed messages", () => {
    const [one] = strangers;
    const call = (list: unknown) => () => kms.verifyBatch(list as SignedMessage[]);
    expect(errorCode(call(one))).toBe("usage/WRONG_TYPE");
    expect(errorCode(call([one, undefined]))).toBe("usage/WRONG_TYPE");
    expect(errorCode(call([{ ...one, id: "me" }]))).toBe("usage/NOT_BYTES");
    expect(errorCode(call([{ ...one, signature: undefined }]))).toBe("usage/NOT_BYTES");
  });

  it("keeps signers apart, and bounds what it stores of them", () => {
    const own = EccsiPublicKey.load(core, kpak);
    const before = core.usedBytes;
    const users = Array.from({ length: 80 }, (_, i) => {
      const user = concat(id, Uint8Array.of(i));
      const keys = reference.issueSigningKey(ksak, user, BigInt(i + 2));
      const signing = EccsiSigner.load(own, user, keys.ssk, keys.pvt);
      return { user, signature: signing.sign(messages[1]!, random) };
    });
    const check = (from: number, to: number) => {
      for (let i = from; i < to; i++) {
        const { user, signature } = users[i]!;
        expect(own.verify(user, messages[1]!, signature)).toBe(true);
        expect(own.verify(users[(i + 1) % users.length]!.user, messages[1]!, signature)).toBe(false);
      }
    };
    for (let round = 0; round < 4; round++) check(0, 8);
    expect(core.usedBytes, "tables of the first signers").toBeGreaterThan(before);
    check(8, 80);
    expect(core.usedBytes, "dropped for later ones").toBe(before);
    check(0, 8);
    own.destroy();
    expect(core.usedBytes).toBe(before);
  });
});

describe("large batches of ECCSI signatures", () => {
  it("of 1000 messages equal single signatures, and those of the other build", async () => {
    const many = Array.from({ length: 1000 }, () => random(80));
    const made = [];
    for (const build of BUILDS) {
      const core = await load({ build });
      const kms = EccsiPublicKey.load(core, kpak);
      const signer = EccsiSigner.load(kms, id, key.ssk, key.pvt);
      made.push(hex(signer.signBatch(many, ephemerals())));
      if (build === "fma") {
        const draw = ephemerals();
        made.push(many.map((message) => toHex(signer.sign(message, draw))));
      }
      core.destroy();
    }
    expect(made[1]).toEqual(made[0]);
    expect(made[2]).toEqual(made[0]);
  });
});
