/**
 * The test world: KMSs with the keys of their users, a GMS, and members who open what it seals. Tests of clients, servers and
 * commands compose theirs of it, of the names and times in names.ts, and of the clock in clock.ts.
 */
import { type Core, load } from "../../bindings/core/core.ts";
import { Initiator } from "../../bindings/identity/initiator.ts";
import { KmsDomain } from "../../bindings/identity/kms-domain.ts";
import type { KeySet, KmsCertificate } from "../../bindings/identity/kms-material.ts";
import { ntpFromUnixMs, ntpSeconds } from "../../bindings/identity/ntp.ts";
import { KEY_KINDS } from "../../bindings/identity/purpose-tag.ts";
import { Receiver } from "../../bindings/identity/receiver.ts";
import { KmsMaster } from "../../bindings/kms.ts";
import type { SealedMessage } from "../../bindings/mikey/build.ts";
import { authoriseAnyoneUnsafe, type OpenContext } from "../../bindings/mikey/context.ts";
import type { SealRequest } from "../../bindings/mikey/plan.ts";
import { MemoryReceiverState } from "../../bindings/mikey/receiver-state.ts";
import { sealMessage } from "../../bindings/mikey/seal.ts";
import type { ClientKeys } from "../../roles/identity/index.ts";
import { ALICE, certificateOf, GMS, HOME_KMS, NOW } from "./names.ts";
import { seededRandom } from "./random.ts";

export * from "./names.ts";

let core: Promise<Core> | undefined;

/** One for all tests of a file that neither destroy it nor look into its memory. */
export function sharedCore(): Promise<Core> {
  core ??= load();
  return core;
}

export interface TestKms {
  readonly master: KmsMaster;
  readonly certificate: KmsCertificate;
  readonly domain: KmsDomain;
  /** Keys of an identity for the period of a time. */
  keySet(uri: string, atMs?: number): KeySet;
}

export function makeKms(
  core: Core,
  kmsUri: string,
  options: Partial<KmsCertificate> = {},
  seed = `master of ${kmsUri}`,
): TestKms {
  const master = KmsMaster.generate(core, seededRandom(seed));
  const certificate = { ...certificateOf(kmsUri, master), ...options };
  const domain = KmsDomain.load(core, certificate);
  return {
    master,
    certificate,
    domain,
    keySet(userUri, atMs = NOW) {
      const keyPeriodNo = domain.keyPeriodNo(ntpSeconds(ntpFromUnixMs(atMs)));
      const uid = domain.uid(userUri, keyPeriodNo);
      return { kmsUri, userUri, uid, keyPeriodNo, ...master.issue(uid) };
    },
  };
}

export interface KeyHolder {
  /** Milliseconds since the Unix epoch: a key set for the period of each. */
  readonly at?: readonly number[];
  /** Other KMSs whose certificates the user has. */
  readonly partners?: readonly TestKms[];
}

/** Returns what a client or a server has of its KMS. */
export function clientKeys(
  kms: TestKms,
  uri: string,
  { at = [NOW], partners = [] }: KeyHolder = {},
): ClientKeys {
  const keySets = at.map((time) => kms.keySet(uri, time));
  const domains = [kms, ...partners].map(({ domain }) => domain);
  return keysFrom(domains, Initiator.load(kms.domain, keySets), Receiver.load(domains, keySets));
}

/** Returns keys in the form in which a client or a server holds them, and ends them. */
export function keysFrom(
  domains: readonly KmsDomain[],
  initiator: Initiator,
  receiver: Receiver,
): ClientKeys {
  return {
    homeKms: initiator.kmsUri,
    domains,
    initiator,
    receiver,
    rejected: [],
    destroy() {
      initiator.destroy();
      receiver.destroy();
    },
  };
}

/** One security domain with a GMS and two members. */
export interface World {
  readonly core: Core;
  readonly home: TestKms;
  readonly gms: Initiator;
  readonly alice: Receiver;
  /** One message of the GMS to Alice; a GMK unless said otherwise. */
  seal(request?: Partial<SealRequest>, atMs?: number): Promise<SealedMessage>;
  /** How Alice opens: fresh state, strict, everyone authorised, all kinds of key. */
  context(changes?: Partial<OpenContext>): OpenContext;
}

export async function makeWorld(): Promise<World> {
  const core = await load();
  const home = makeKms(core, HOME_KMS);
  const gms = Initiator.load(home.domain, [home.keySet(GMS)]);
  const alice = Receiver.load([home.domain], [home.keySet(ALICE)]);
  const random = seededRandom("world");
  return {
    core,
    home,
    gms,
    alice,
    async seal(request = {}, atMs = NOW) {
      const keys = { initiator: gms, domains: [home.domain], random };
      const full: SealRequest = { kind: "GMK", members: [{ uri: ALICE }], parameters: {}, ...request };
      return (await sealMessage(full, keys, atMs)).messages[0]!;
    },
    context: (changes = {}) => ({
      receiver: alice,
      state: new MemoryReceiverState(),
      now: NOW,
      allow: KEY_KINDS,
      authorise: authoriseAnyoneUnsafe,
      ...changes,
    }),
  };
}
