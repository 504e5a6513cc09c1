/** Checks 70 to 77: certificates and key sets of a KMS, before any of their keys is used. */
import { beforeAll, describe, expect, it } from "vitest";
import { Initiator } from "../../../bindings/identity/initiator.ts";
import { KmsDomain } from "../../../bindings/identity/kms-domain.ts";
import type { KeySet, KmsCertificate } from "../../../bindings/identity/kms-material.ts";
import { Receiver } from "../../../bindings/identity/receiver.ts";
import { orderTwo, plusOrderTwo } from "../../support/points.ts";
import { refusedBy } from "../../support/refused-by.ts";
import {
  ALICE,
  AWAY_KMS,
  BOB,
  DAY_MS,
  makeKms,
  makeWorld,
  NOW,
  type TestKms,
  type World,
} from "../../support/world.ts";

let world: World;
let away: TestKms;
let good: KeySet;

beforeAll(async () => {
  world = await makeWorld();
  away = makeKms(world.core, AWAY_KMS);
  good = world.home.keySet(ALICE);
});

const loadDomain = (changes: Partial<KmsCertificate>) =>
  KmsDomain.load(world.core, { ...world.home.certificate, ...changes });
const loadReceiver = (changes: Partial<KeySet>) =>
  Receiver.load([world.home.domain], [{ ...good, ...changes }]);
const loadInitiator = (changes: Partial<KeySet>) =>
  Initiator.load(world.home.domain, [{ ...good, ...changes }]);

function changed(octets: Uint8Array, change: (copy: Uint8Array) => void): Uint8Array {
  const copy = octets.slice();
  change(copy);
  return copy;
}

/** Octets that are no point of the curve: off it, coordinates too large, infinity, compressed, other lengths. */
const BAD_POINTS: [string, (good: Uint8Array) => Uint8Array][] = [
  ["off the curve", (p) => changed(p, (x) => x.set([x.at(-1)! ^ 1], x.length - 1))],
  ["coordinates >= p", (p) => changed(p, (x) => x.fill(0xff, 1))],
  ["zeros", (p) => changed(p, (x) => x.fill(0, 1))],
  ["infinity", () => Uint8Array.of(0)],
  ["all octets zero", (p) => new Uint8Array(p.length)],
  ["compressed", (p) => changed(p.slice(0, (p.length + 1) / 2), (x) => x.set([2 + (p.at(-1)! & 1)]))],
  ["hybrid form", (p) => changed(p, (x) => x.set([6 + (p.at(-1)! & 1)]))],
  ["too short", (p) => p.slice(0, -1)],
  ["too long", (p) => Uint8Array.of(...p, 0)],
];

describe("a KMS certificate is refused:", () => {
  it.each<[string, Partial<KmsCertificate>]>([
    ["user ID format 1", { userIdFormat: "1" }],
    ["parameter set 2", { parameterSet: 2 }],
    ["period 0", { userKeyPeriod: 0 }],
    ["period that is no whole number", { userKeyPeriod: 0.5 }],
    ["offset as long as the period", { userKeyOffset: 2592000 }],
    ["negative offset", { userKeyOffset: -1 }],
    ["no KMS URI", { kmsUri: "" }],
  ])("70 BAD_KMS_CERTIFICATE: %s", async (_name, changes) => {
    await refusedBy("BAD_KMS_CERTIFICATE", () => loadDomain(changes));
  });

  it.each(BAD_POINTS)("71 BAD_PUBLIC_ENCRYPTION_KEY: %s", async (_name, make) => {
    const pubEncKey = make(world.home.certificate.pubEncKey);
    await refusedBy("BAD_PUBLIC_ENCRYPTION_KEY", () => loadDomain({ pubEncKey }));
  });

  it("71 BAD_PUBLIC_ENCRYPTION_KEY: on the curve, but of the wrong order", async () => {
    const { pubEncKey } = world.home.certificate;
    for (const wrong of [orderTwo(), plusOrderTwo(pubEncKey)]) {
      await refusedBy("BAD_PUBLIC_ENCRYPTION_KEY", () => loadDomain({ pubEncKey: wrong }));
    }
  });

  it.each(BAD_POINTS)("72 BAD_PUBLIC_AUTHENTICATION_KEY: %s", async (_name, make) => {
    const pubAuthKey = make(world.home.certificate.pubAuthKey);
    await refusedBy("BAD_PUBLIC_AUTHENTICATION_KEY", () => loadDomain({ pubAuthKey }));
  });
});

describe("a key set", () => {
  it("is accepted as issued, by both sides", () => {
    expect(() => loadReceiver({})).not.toThrow();
    expect(() => loadInitiator({})).not.toThrow();
  });

  it("is refused: 73 KEY_SET_OF_OTHER_KMS", async () => {
    await refusedBy("KEY_SET_OF_OTHER_KMS", () => loadReceiver({ kmsUri: AWAY_KMS }));
    await refusedBy("KEY_SET_OF_OTHER_KMS", () => Initiator.load(away.domain, [good]));
  });

  it("is refused: 74 KEY_SET_REVOKED", async () => {
    await refusedBy("KEY_SET_REVOKED", () => loadReceiver({ revoked: true }));
    await refusedBy("KEY_SET_REVOKED", () => loadInitiator({ revoked: true }));
  });

  it("is refused: 75 KEY_SET_UID_MISMATCH: other identity, other period", async () => {
    const mismatches = [{ userUri: BOB }, { keyPeriodNo: good.keyPeriodNo + 1 }, { uid: new Uint8Array(32) }];
    for (const changes of mismatches) {
      await refusedBy("KEY_SET_UID_MISMATCH", () => loadReceiver(changes));
      await refusedBy("KEY_SET_UID_MISMATCH", () => loadInitiator(changes));
    }
  });

  it.each(BAD_POINTS)("is refused: 76 RSK_INVALID: %s", async (_name, make) => {
    await refusedBy("RSK_INVALID", () => loadReceiver({ rsk: make(good.rsk) }));
  });

  it("is refused: 76 RSK_INVALID: the point of order 2", async () => {
    await refusedBy("RSK_INVALID", () => loadReceiver({ rsk: orderTwo() }));
  });

  it("is refused: 76 RSK_INVALID: of another identity, period or KMS", async () => {
    const others = [world.home.keySet(BOB), world.home.keySet(ALICE, NOW + 40 * DAY_MS), away.keySet(ALICE)];
    for (const { rsk } of others) await refusedBy("RSK_INVALID", () => loadReceiver({ rsk }));
  });

  it.each(BAD_POINTS)("is refused: 77 SSK_INVALID: PVT %s", async (_name, make) => {
    await refusedBy("SSK_INVALID", () => loadInitiator({ pvt: make(good.pvt) }));
  });

  it("is refused: 77 SSK_INVALID: SSK changed, zero, too long or of somebody else", async () => {
    const ssks = [changed(good.ssk, (x) => x.set([x[31]! ^ 1], 31)), new Uint8Array(32), new Uint8Array(33)];
    for (const ssk of ssks) await refusedBy("SSK_INVALID", () => loadInitiator({ ssk }));
    const { ssk, pvt } = world.home.keySet(BOB);
    await refusedBy("SSK_INVALID", () => loadInitiator({ ssk, pvt }));
  });
});

describe("an initiator", () => {
  it("is exactly one identity", () => {
    const oneIdentity = expect.objectContaining({ kind: "usage", code: "ONE_IDENTITY" });
    expect(() => Initiator.load(world.home.domain, [])).toThrow(oneIdentity);
    expect(() => Initiator.load(world.home.domain, [good, world.home.keySet(BOB)])).toThrow(oneIdentity);
    expect(() => Initiator.load(world.home.domain, [good]).add(world.home.keySet(BOB))).toThrow(oneIdentity);
  });
});
