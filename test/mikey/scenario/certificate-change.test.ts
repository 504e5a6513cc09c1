/** A KMS changes its master secrets: old and new certificate side by side, and T of a message picks (5.3.5, D.3.2). */
import { beforeAll, describe, expect, it } from "vitest";
import { defined } from "../../../base/defined.ts";
import type { Core } from "../../../bindings/core/core.ts";
import { load } from "../../../bindings/core/core.ts";
import { Initiator } from "../../../bindings/identity/initiator.ts";
import { keyPeriodEnd } from "../../../bindings/identity/key-period.ts";
import { KmsDomain } from "../../../bindings/identity/kms-domain.ts";
import type { KeySet, KmsCertificate } from "../../../bindings/identity/kms-material.ts";
import { ntpFromUnixMs, ntpSeconds, ntpSecondsToUnixMs } from "../../../bindings/identity/ntp.ts";
import { KEY_KINDS } from "../../../bindings/identity/purpose-tag.ts";
import { Receiver } from "../../../bindings/identity/receiver.ts";
import { authoriseAnyoneUnsafe, type OpenContext } from "../../../bindings/mikey/context.ts";
import { openMessage } from "../../../bindings/mikey/open.ts";
import type { SealRequest } from "../../../bindings/mikey/plan.ts";
import { MemoryReceiverState } from "../../../bindings/mikey/receiver-state.ts";
import { sealMessage } from "../../../bindings/mikey/seal.ts";
import { seededRandom } from "../../support/random.ts";
import { refusedBy } from "../../support/refused-by.ts";
import { ALICE, AWAY_KMS, ERIN, GMS, HOME_KMS, makeKms, NOW, type TestKms } from "../../support/world.ts";

const RULE = { period: 2592000, offset: 0 };
const PERIOD = Math.floor(ntpSeconds(ntpFromUnixMs(NOW)) / RULE.period);
const BORDER = ntpSecondsToUnixMs(keyPeriodEnd(PERIOD, RULE));
const OLD = "https://kms.home.example/certificates/1";
const NEW = "https://kms.home.example/certificates/2";

let core: Core;
beforeAll(async () => {
  core = await load();
});

/** Old and new KMS under one KmsUri; the old certificate ends where the new one begins. */
function change(atMs: number, kmsUri = HOME_KMS) {
  const older = makeKms(core, kmsUri, { certUri: OLD, validTo: atMs }, `old of ${kmsUri}`);
  const newer = makeKms(core, kmsUri, { certUri: NEW, validFrom: atMs }, `new of ${kmsUri}`);
  return { older, newer, domains: [older.domain, newer.domain] };
}

const keySet = (kms: TestKms, uri: string, atMs: number): KeySet => ({
  ...kms.keySet(uri, atMs),
  ...defined({ certUri: kms.certificate.certUri }),
});

async function seal(
  initiator: Initiator,
  atMs: number,
  changes: Partial<SealRequest> = {},
  domains: KmsDomain[] = [],
) {
  const request: SealRequest = { kind: "GMK", members: [{ uri: ALICE }], parameters: {}, ...changes };
  const random = seededRandom(`change ${atMs}`);
  return (await sealMessage(request, { initiator, domains, random }, atMs)).messages[0]!.octets;
}

const context = (receiver: Receiver, now: number): OpenContext => ({
  receiver,
  state: new MemoryReceiverState(),
  now,
  allow: KEY_KINDS,
  authorise: authoriseAnyoneUnsafe,
  from: GMS,
});

const opens = (octets: Uint8Array, receiver: Receiver, now: number) =>
  expect(openMessage(octets, context(receiver, now))).resolves.toMatchObject({ outcome: "accepted" });

describe.each([
  ["at the border of a key period", BORDER, true],
  ["in the midst of a key period, where both keys have one UID", NOW, true],
  ["at a border, with key sets that name no certificate", BORDER, false],
])("a certificate change %s:", (_name, atMs, named) => {
  let older: TestKms;
  let newer: TestKms;
  let domains: KmsDomain[];
  let alice: Receiver;
  let gmsKeys: KeySet[];

  beforeAll(() => {
    ({ older, newer, domains } = change(atMs));
    const both = (uri: string) =>
      [keySet(older, uri, atMs - 1), keySet(newer, uri, atMs)].map(({ certUri, ...rest }) =>
        named ? { ...rest, certUri: certUri! } : rest,
      );
    alice = Receiver.load(domains, both(ALICE));
    gmsKeys = both(GMS);
  });

  it.each([-2000, -1, 0, 1, 2000])(
    "a message with T %i ms from it opens under its own keys",
    async (offset) => {
      for (const options of [{}, { hideInitiator: true, hideResponder: true }, { toSelf: true }]) {
        const octets = await seal(Initiator.load(domains, gmsKeys), atMs + offset, options);
        for (const now of [atMs - 1000, atMs + 1000]) await opens(octets, alice, now);
        const which = offset < 0 ? older : newer;
        const own = Receiver.load([which.domain], [keySet(which, ALICE, atMs + offset)]);
        await opens(octets, own, atMs);
      }
    },
  );

  it("the old keys sign nothing after it, and the new ones nothing before", async () => {
    // The same keys under certificates without an end, as whoever does not keep to them has them.
    const free = (kms: TestKms) => {
      const { validFrom, validTo, ...certificate } = kms.certificate;
      return KmsDomain.load(core, certificate);
    };
    const late = await seal(Initiator.load(free(older), [keySet(older, GMS, atMs + 1000)]), atMs + 1000);
    const early = await seal(Initiator.load(free(newer), [keySet(newer, GMS, atMs - 1000)]), atMs - 1000);
    for (const octets of [late, early]) {
      await refusedBy("BAD_SIGNATURE", () => openMessage(octets, context(alice, atMs)));
    }
  });

  it("an initiator without keys of the new certificate cannot sign after the change", async () => {
    const initiator = Initiator.load(domains, [keySet(older, GMS, atMs - 1)]);
    await expect(seal(initiator, atMs + 1)).rejects.toMatchObject({ kind: "usage", code: "NO_SIGNING_KEY" });
    initiator.add(keySet(newer, GMS, atMs));
    await opens(await seal(initiator, atMs + 1), alice, atMs);
  });
});

describe("a certificate change of another KMS", () => {
  it("makes the member's message use the certificate valid at T", async () => {
    const home = makeKms(core, HOME_KMS);
    const away = change(NOW, AWAY_KMS);
    const gms = Initiator.load(home.domain, [home.keySet(GMS)]);
    const members = [{ uri: ERIN, kmsUri: AWAY_KMS }];
    for (const [kms, t] of [
      [away.older, NOW - 1000],
      [away.newer, NOW + 1000],
    ] as const) {
      const erin = Receiver.load([home.domain, kms.domain], [keySet(kms, ERIN, t)]);
      await opens(await seal(gms, t, { members }, away.domains), erin, NOW);
    }
  });
});

describe("a certificate with a known CertUri", () => {
  const again = (kms: TestKms, changes: Partial<KmsCertificate>) =>
    KmsDomain.load(core, { ...kms.certificate, ...changes });

  it("takes the place of the old one, also for the keys", async () => {
    const { older, domains } = change(NOW + 10_000);
    const receiver = Receiver.load(domains, [keySet(older, ALICE, NOW)]);
    const octets = await seal(Initiator.load(domains, [keySet(older, GMS, NOW)]), NOW);
    receiver.addDomain(again(older, { revoked: true }));
    await refusedBy("KMS_NOT_VALID", () => openMessage(octets, context(receiver, NOW)));
    receiver.addDomain(older.domain);
    await opens(octets, receiver, NOW);
  });

  it("may state an earlier end, and the next one holds from there on", async () => {
    const { older, newer, domains } = change(NOW);
    const open = again(older, { validTo: BORDER });
    const initiator = Initiator.load(open, [keySet(older, GMS, NOW)]);
    const octets = await seal(initiator, NOW + 1000);
    const receiver = Receiver.load([open], [keySet(older, ALICE, NOW)]);
    await opens(octets, receiver, NOW);
    for (const domain of domains) receiver.addDomain(domain);
    receiver.add(keySet(newer, ALICE, NOW));
    await refusedBy("BAD_SIGNATURE", () => openMessage(octets, context(receiver, NOW)));
  });
});

it("an initiator accepts certificates of its own KMS only", () => {
  const home = makeKms(core, HOME_KMS);
  const away = makeKms(core, AWAY_KMS);
  const load = () => Initiator.load([home.domain, away.domain], [home.keySet(GMS)]);
  expect(load).toThrow(expect.objectContaining({ kind: "usage", code: "ONE_KMS" }));
});
