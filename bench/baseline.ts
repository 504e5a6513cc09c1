/**
 * The same rows in plain BigInt: the reference of test/crypto/reference behind the same MIKEY code. It is no straw man: windowed
 * NAF scalars, Strauss sums, Jacobian coordinates, no inversion in the Miller loop.
 */
import type {
  EccsiPublicKey,
  EccsiSigner,
  Initiator,
  KmsDomain,
  Receiver,
  SakkePublicKey,
  SakkeReceiver,
  SealKeys,
} from "../bindings/index.ts";
import { systemRandom } from "../bindings/index.ts";
import type { Row } from "../cli/bench/row.ts";
import type { World } from "../cli/bench/world.ts";
import * as eccsi from "../test/crypto/reference/eccsi.ts";
import { randomBelow } from "../test/crypto/reference/field.ts";
import { P256, SAKKE } from "../test/crypto/reference/params.ts";
import * as sakke from "../test/crypto/reference/sakke.ts";

const PRODUCTS = 500;

/** The rows of one at a time: a batch gains nothing here. `message` as for the package's rows. */
export function baselineRows(world: World, message: Uint8Array): Row[] {
  const { domain, gmsKeys, memberKeys, ssv, sed, text, known } = world;
  const { pubEncKey: zt, pubAuthKey: kpak } = domain.certificate;
  const { uid, rsk } = memberKeys;
  const slow = slowParties(world);
  const master = { z: randomBelow(SAKKE.q, systemRandom), ksak: randomScalar() };
  let ids: Uint8Array[] = [];
  let uris: string[] = [];
  const freshId = () => {
    ids = world.freshUids(1);
  };
  const freshUri = () => {
    uris = world.freshUris(1);
  };
  const one = (name: Row["name"], run: () => unknown, prepare?: () => void): Row =>
    prepare === undefined ? { name, operations: 1, run } : { name, operations: 1, run, prepare };
  const encapsulate = () => sakke.encapsulate(zt, ids[0]!, ssv);
  const decapsulate = () => sakke.decapsulate(zt, uid, rsk, sed);
  const sign = () => eccsi.sign(kpak, gmsKeys.uid, gmsKeys, text, randomScalar());
  const verify = () => eccsi.verify(kpak, known.uid, text, known.octets);
  return [
    { name: "field.multiply", operations: PRODUCTS, run: () => products(SAKKE.Px, SAKKE.Py, PRODUCTS) },
    one("sakke.encapsulate.batch", encapsulate, freshId),
    one("sakke.encapsulate.single", encapsulate, freshId),
    one("sakke.decapsulate", decapsulate),
    one("sakke.decapsulate.prepared", decapsulate),
    one("sakke.issue.batch", () => sakke.issueRsk(master.z, ids[0]!), freshId),
    one("sakke.validate", () => sakke.validateRsk(zt, uid, rsk)),
    one("eccsi.sign.batch", sign),
    one("eccsi.sign.single", sign),
    one("eccsi.verify", verify),
    one("eccsi.verify.batch", verify),
    one("eccsi.verify.known", verify),
    one(
      "kms.issue.batch",
      () => {
        const id = ids[0]!;
        sakke.issueRsk(master.z, id);
        return eccsi.issueSigningKey(master.ksak, id, randomScalar());
      },
      freshId,
    ),
    one("imessage.seal.batch", () => world.seal(uris, slow.keys), freshUri),
    one("imessage.open", () => world.open(message, slow.receiver)),
  ];
}

/** a b^n mod p, one product and one remainder at a time. */
export function products(a: bigint, b: bigint, n: number): bigint {
  const { p } = SAKKE;
  let x = a;
  for (let i = 0; i < n; i++) x = (x * b) % p;
  return x;
}

/** Throws unless both sides of every kind of row get the same from the same input. */
export function requireAgreement(world: World): void {
  const { domain, gmsKeys, memberKeys, ssv, sed, text, known } = world;
  const { pubEncKey: zt, pubAuthKey: kpak } = domain.certificate;
  const { uid, rsk } = memberKeys;
  const same = (a: Uint8Array, b: Uint8Array) =>
    a.length === b.length && a.every((octet, i) => octet === b[i]);
  const checks = {
    encapsulate: same(sed, sakke.encapsulate(zt, uid, ssv)),
    decapsulate: same(sakke.decapsulate(zt, uid, rsk, sed), world.prepared.decapsulate(sed)),
    validate: sakke.validateRsk(zt, uid, rsk),
    sign: eccsi.verify(kpak, known.uid, text, known.octets),
    verify: domain.authentication.verify(
      gmsKeys.uid,
      text,
      eccsi.sign(kpak, gmsKeys.uid, gmsKeys, text, randomScalar()),
    ),
  };
  for (const [what, agrees] of Object.entries(checks)) {
    if (!agrees) throw new Error(`${what}: the core and the reference disagree`);
  }
}

function randomScalar(): bigint {
  return 1n + randomBelow(P256.q - 1n, systemRandom);
}

/** A sender and a receiver whose arithmetic is BigInt and whose everything else is the package's. */
function slowParties(world: World): { keys: SealKeys; receiver: Receiver } {
  const { domain, gms, gmsKeys, memberKeys, receiver } = world;
  const { pubEncKey: zt, pubAuthKey: kpak } = domain.certificate;
  const encryption: Pick<SakkePublicKey, "encapsulateBatch"> = {
    encapsulateBatch: (ids, ssv) => ids.map((id) => sakke.encapsulate(zt, id, ssv)),
  };
  const authentication: Pick<EccsiPublicKey, "verify"> = {
    verify: (id, message, signature) => eccsi.verify(kpak, id, message, signature),
  };
  const slowDomain = Object.create(domain, {
    encryption: { value: encryption },
    authentication: { value: authentication },
  }) as KmsDomain;
  const signer: Pick<EccsiSigner, "signBatch"> = {
    signBatch: (messages) =>
      messages.map((message) => eccsi.sign(kpak, gmsKeys.uid, gmsKeys, message, randomScalar())),
  };
  const initiator = {
    uri: gms.uri,
    kmsUri: slowDomain.kmsUri,
    domains: [slowDomain],
    keyAt: () => ({ uid: gmsKeys.uid, signer, domain: slowDomain }),
    reserveTimes: (now: number, count: number) => gms.reserveTimes(now, count),
  } as unknown as Initiator;
  const opener: Pick<SakkeReceiver, "decapsulate"> = {
    decapsulate: (sed) => sakke.decapsulate(zt, memberKeys.uid, memberKeys.rsk, sed),
  };
  const slowReceiver = {
    domain: () => slowDomain,
    isKeyedBy: (kmsUri: string) => receiver.isKeyedBy(kmsUri),
    isMine: (kmsUri: string, uri: string) => receiver.isMine(kmsUri, uri),
    keyOf: (kmsUri: string, uid: Uint8Array) => {
      const key = receiver.keyOf(kmsUri, uid);
      return key && { ...key, domain: slowDomain, sakke: opener };
    },
  } as unknown as Receiver;
  return { keys: { initiator, domains: [slowDomain], random: systemRandom }, receiver: slowReceiver };
}
