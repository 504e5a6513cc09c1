/** Values of wrong types and lengths for every argument of every public function of the crypto bindings. */
import { beforeAll, describe, expect, it } from "vitest";
import { MikeySakkeError } from "../../../base/errors.ts";
import { systemRandom } from "../../../base/random.ts";
import { type Core, load } from "../../../bindings/core/core.ts";
import * as eccsi from "../../../bindings/eccsi/index.ts";
import * as kdf from "../../../bindings/identity/kdf.ts";
import * as kms from "../../../bindings/kms.ts";
import * as sakke from "../../../bindings/sakke/index.ts";
import { aeadOpen, aeadSeal } from "../../../bindings/symmetric/aead.ts";
import { seededRandom } from "../../support/random.ts";

/** A call with one argument replaced, or none. */
type Call = (...args: never[]) => unknown;

interface Argument {
  /** The name of the argument in errors. */
  readonly label: string;
  readonly good: unknown;
  readonly kind: "octets" | "list" | "function" | "instance" | "object" | "count" | "string" | "choice";
  /** Lengths that are refused as a mistake of the caller. */
  readonly badLengths?: readonly number[];
  /** May be left out. */
  readonly optional?: boolean;
}

interface Subject {
  readonly name: string;
  readonly call: Call;
  readonly args: readonly Argument[];
}

const WRONG: readonly unknown[] = [
  null,
  undefined,
  0,
  1.5,
  -1,
  Number.NaN,
  10n,
  true,
  "",
  "00ff",
  Symbol("octets"),
  [],
  [1, 2, 3],
  {},
  { length: 32 },
  new ArrayBuffer(32),
  new DataView(new ArrayBuffer(32)),
  new Uint16Array(32),
  new Int8Array(32),
  new Uint8ClampedArray(32),
  () => new Uint8Array(32),
];

/** Whether one of them is right for a kind after all. The elements of lists are tested by themselves. */
const RIGHT: Record<Argument["kind"], (value: unknown) => boolean> = {
  octets: () => false,
  instance: () => false,
  list: Array.isArray,
  function: (value) => typeof value === "function",
  object: (value) => typeof value === "object" && value !== null,
  count: (value) => value === 0,
  string: (value) => typeof value === "string",
  choice: () => false,
};

const octets = (label: string, good: Uint8Array, ...badLengths: number[]): Argument => ({
  label,
  good,
  kind: "octets",
  badLengths,
});
const of = (kind: Argument["kind"], label: string, good: unknown): Argument => ({ label, good, kind });

const random = seededRandom("types");
const ID = random(32);
const SSV = random(16);
const MESSAGE = random(50);

let core: Core;
let subjects: Subject[];

beforeAll(async () => {
  core = await load();
  const master = kms.KmsMaster.generate(core, random);
  const { z, ksak } = master.exportSecrets();
  const { rsk, ssk, pvt } = master.issue(ID);
  const kmsKey = sakke.SakkePublicKey.load(core, master.zt);
  const receiver = sakke.SakkeReceiver.load(kmsKey, ID, rsk);
  const sed = kmsKey.encapsulate(ID, SSV);
  const authKey = eccsi.EccsiPublicKey.load(core, master.kpak);
  const signer = eccsi.EccsiSigner.load(authKey, ID, ssk, pvt);
  const signature = signer.sign(MESSAGE, random);

  const identifier = octets("identifier", ID, 0, 129, 1000);
  const anyIdentifier = octets("identifier", ID);
  const ssv = octets("SSV", SSV, 0, 15, 17);
  const message = octets("message", MESSAGE);
  const source = of("function", "random source", random);
  const aCore = of("instance", "core", core);
  const someKey = random(32);
  const iv = octets("IV", random(16));
  const aad = octets("additional data", random(4));

  const list: [name: string, call: Call, ...args: Argument[]][] = [
    ["SakkePublicKey.load", sakke.SakkePublicKey.load, aCore, octets("KMS Public Key", master.zt)],
    ["encapsulate", kmsKey.encapsulate.bind(kmsKey), identifier, ssv],
    ["encapsulateBatch", kmsKey.encapsulateBatch.bind(kmsKey), of("list", "identifiers", [ID]), ssv],
    [
      "encapsulateBatch, an element",
      (id: never, key: never) => kmsKey.encapsulateBatch([ID, id, ID], key),
      identifier,
      ssv,
    ],
    ["validateRsk", kmsKey.validateRsk.bind(kmsKey), identifier, octets("RSK", rsk)],
    [
      "SakkeReceiver.load",
      sakke.SakkeReceiver.load,
      of("instance", "KMS", kmsKey),
      identifier,
      octets("RSK", rsk),
      { ...of("object", "options", {}), optional: true },
    ],
    ["decapsulate", receiver.decapsulate.bind(receiver), octets("SAKKE Encapsulated Data", sed)],
    ["EccsiPublicKey.load", eccsi.EccsiPublicKey.load, aCore, octets("KPAK", master.kpak)],
    ["verify", authKey.verify.bind(authKey), anyIdentifier, message, octets("signature", signature)],
    [
      "verifyBatch",
      authKey.verifyBatch.bind(authKey),
      of("list", "signed messages", [{ id: ID, message: MESSAGE, signature }]),
    ],
    [
      "verifyBatch, an element",
      (id: never, text: never, sign: never) => {
        const good = { id: ID, message: MESSAGE, signature };
        return authKey.verifyBatch([good, { id, message: text, signature: sign }, good]);
      },
      anyIdentifier,
      message,
      octets("signature", signature),
    ],
    ["validateSsk", authKey.validateSsk.bind(authKey), anyIdentifier, octets("SSK", ssk), octets("PVT", pvt)],
    [
      "EccsiSigner.load",
      eccsi.EccsiSigner.load,
      of("instance", "KMS", authKey),
      anyIdentifier,
      octets("SSK", ssk),
      octets("PVT", pvt),
    ],
    ["sign", signer.sign.bind(signer), message, source],
    ["signBatch", signer.signBatch.bind(signer), of("list", "messages", [MESSAGE]), source],
    [
      "signBatch, an element",
      (one: never, draw: never) => signer.signBatch([MESSAGE, one, MESSAGE], draw),
      message,
      source,
    ],
    ["KmsMaster.generate", kms.KmsMaster.generate, aCore, source],
    [
      "KmsMaster.load",
      (where: never, one: never, other: never) => kms.KmsMaster.load(where, { z: one, ksak: other }),
      aCore,
      octets("z", z, 0, 20, 127, 129),
      octets("KSAK", ksak, 0, 31, 33),
    ],
    ["issue", master.issue.bind(master), identifier],
    ["issueBatch", master.issueBatch.bind(master), of("list", "identifiers", [ID])],
    ["issueBatch, an element", (id: never) => master.issueBatch([ID, id, ID]), identifier],
    ["load", (build: never) => load({ build }), { ...of("choice", "build", "simd"), optional: true }],
    ["aeadSeal", aeadSeal, octets("key", someKey, 0, 15, 24, 33), iv, aad, octets("plaintext", MESSAGE)],
    ["aeadOpen", aeadOpen, octets("key", someKey, 0, 15, 24, 33), iv, aad, octets("sealed", MESSAGE)],
    [
      "kdf",
      (key: never, p: never) => kdf.kdf(key, 0x53, p),
      octets("key", someKey),
      octets("KDF parameter", ID),
    ],
    ["deriveDpck", (key: never) => kdf.deriveDpck(key, 5), octets("DPPK", someKey, 0, 15, 17, 24, 33)],
    ...([kdf.deriveXmlConfidentialityKey, kdf.deriveXmlIntegrityKey] as const).map(
      (derive): [string, Call, ...Argument[]] => [
        derive.name,
        (key: never, uri: never) => derive(key, uri, 5),
        octets("XPK", someKey, 0, 15, 17, 24, 33),
        of("string", "user URI", "sip:a@b.example"),
      ],
    ),
    ["mikeyPrf", kdf.mikeyPrf, octets("input key", someKey), octets("label", ID), of("count", "length", 16)],
    [
      "deriveSrtpMaster",
      (tgk: never, csId: never, rand: never) => kdf.deriveSrtpMaster({ tgk, csId, csbId: 5, rand }),
      octets("TGK", SSV),
      of("count", "CS-ID", 4),
      octets("RAND", random(16)),
    ],
  ];
  subjects = list.map(([name, call, ...args]) => ({ name, call, args }));
});

/** The usage error that a call ends in; what else it ends in fails the test. */
async function mistake(call: () => unknown, what: string): Promise<MikeySakkeError> {
  try {
    await call();
  } catch (error) {
    expect(error, what).toBeInstanceOf(MikeySakkeError);
    expect((error as MikeySakkeError).kind, what).toBe("usage");
    return error as MikeySakkeError;
  }
  throw new Error(`${what}: accepted`);
}

const show = (value: unknown) =>
  typeof value === "object" && value !== null ? (value.constructor?.name ?? "object") : String(value);

/** Every case of every argument of every function. */
function* cases(): Generator<{ what: string; label: string; call: () => unknown; value: unknown }> {
  for (const { name, call, args } of subjects) {
    for (const [at, { label, good, kind, badLengths = [], optional }] of args.entries()) {
      const wrong = WRONG.filter((value) => !RIGHT[kind](value) && !(optional && value === undefined));
      const lengths = badLengths.map((length) => new Uint8Array(length));
      for (const value of [...wrong, ...lengths]) {
        const changed = args.map((argument, i) => (i === at ? value : argument.good));
        const length = value instanceof Uint8Array ? ` of ${value.length}` : "";
        const what = `${name}, ${label}: ${show(value)}${length} in place of ${show(good)}`;
        yield { what, label, call: () => call(...(changed as never[])), value };
      }
    }
  }
}

describe("functions of the crypto bindings", () => {
  it("take the right values", async () => {
    for (const { call, args } of subjects) await call(...(args.map(({ good }) => good) as never[]));
  });

  it("refuse wrong types and lengths with a usage error that names the argument", async () => {
    let count = 0;
    for (const { what, label, call, value } of cases()) {
      const error = await mistake(call, what);
      expect(error.message.startsWith(`${label}: expected `), `${what} says ${error.message}`).toBe(true);
      const codes = value instanceof Uint8Array ? ["WRONG_LENGTH"] : ["NOT_BYTES", "WRONG_TYPE"];
      expect(codes, what).toContain(error.code);
      count++;
    }
    expect(count).toBeGreaterThan(900);
  });

  it("are all tested with wrong arguments", () => {
    const methods = (type: { prototype: object }) =>
      Object.entries(Object.getOwnPropertyDescriptors(type.prototype))
        .filter(([name, { value }]) => typeof value === "function" && name !== "constructor")
        .map(([name]) => name);
    const tested = new Set(subjects.map(({ name }) => name.replace(/,.*/, "")));
    // Without arguments, or for the bindings only.
    const exempt = ["destroy", "exportSecrets", "exportKey", "identityPoint", "point"];
    const classes = [
      sakke.SakkePublicKey,
      sakke.SakkeReceiver,
      eccsi.EccsiPublicKey,
      eccsi.EccsiSigner,
      kms.KmsMaster,
    ];
    const missing = classes.flatMap((type) => methods(type)).filter((name) => !tested.has(name));
    expect(missing.filter((name) => !exempt.includes(name))).toEqual([]);
  });

  it("treat a peer's octets of a wrong length as documented, not as a mistake of the caller", () => {
    const by = (name: string) => subjects.find((subject) => subject.name === name)!;
    const run = (name: string, at: number, value: Uint8Array) => {
      const { call, args } = by(name);
      return call(...(args.map(({ good }, i) => (i === at ? value : good)) as never[]));
    };
    const refused = (name: string, at: number, value: Uint8Array) => {
      try {
        run(name, at, value);
      } catch (error) {
        const { kind, code } = error as MikeySakkeError;
        return `${kind}/${code}`;
      }
      return "none";
    };
    for (const length of [0, 1, 31, 33, 64, 66, 128, 130, 256, 258, 272, 274]) {
      const value = new Uint8Array(length).fill(4);
      expect(refused("SakkePublicKey.load", 1, value), `Z of ${length}`).toBe("validation/BAD_POINT");
      expect(refused("SakkeReceiver.load", 2, value), `RSK of ${length}`).toBe("validation/BAD_RSK");
      expect(refused("decapsulate", 0, value), `SED of ${length}`).toBe("validation/BAD_SED");
      expect(refused("EccsiPublicKey.load", 1, value), `KPAK of ${length}`).toBe("validation/BAD_POINT");
      expect(refused("EccsiSigner.load", 2, value), `SSK of ${length}`).toBe("validation/BAD_SSK");
      expect(refused("EccsiSigner.load", 3, value), `PVT of ${length}`).toBe("validation/BAD_SSK");
      expect(run("validateRsk", 1, value), `RSK of ${length}`).toBe(false);
      expect(run("validateSsk", 1, value), `SSK of ${length}`).toBe(false);
      expect(run("validateSsk", 2, value), `PVT of ${length}`).toBe(false);
      expect(run("verify", 2, value), `signature of ${length}`).toBe(false);
    }
  });

  it("take views into larger buffers and octets of other prototypes", () => {
    const { call } = subjects.find(({ name }) => name === "encapsulate")!;
    const plain = call(...([ID, SSV] as never[]));
    const large = new Uint8Array(100);
    large.set(ID, 7);
    large.set(SSV, 60);
    expect(call(...([large.subarray(7, 39), large.subarray(60, 76)] as never[]))).toEqual(plain);
    expect(call(...([Buffer.from(ID), Buffer.from(SSV)] as never[]))).toEqual(plain);
  });

  it("refuse a random source that returns something else", async () => {
    const { call, args } = subjects.find(({ name }) => name === "sign")!;
    const generate = subjects.find(({ name }) => name === "KmsMaster.generate")!;
    for (const given of [undefined, null, 5, "", [], new Uint8Array(0), new Uint16Array(32)]) {
      const source = () => given;
      const error = await mistake(() => call(...([args[0]!.good, source] as never[])), show(given));
      expect(error.message).toContain("random");
      const other = await mistake(() => generate.call(...([core, source] as never[])), show(given));
      expect(other.message).toContain("random");
    }
    expect(systemRandom(32)).toHaveLength(32);
  });

  it("refuse options that are no object", async () => {
    for (const options of [null, 5, "simd"]) {
      const error = await mistake(() => load(options as never), show(options));
      expect(error.message).toContain("options: expected");
    }
    for (const module of [null, 5, "", {}, new Uint8Array(8)]) {
      const error = await mistake(() => load({ module: module as never }), show(module));
      expect(error.message).toContain("module: expected");
    }
    for (const secrets of [null, undefined, 5, "z"]) {
      const error = await mistake(() => kms.KmsMaster.load(core, secrets as never), show(secrets));
      expect(error.message).toContain("secrets: expected");
    }
  });
});
