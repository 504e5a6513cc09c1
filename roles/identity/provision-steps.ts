/** The steps of one look at a KMS: its certificates, then the key sets of an identity. */
import { wipe } from "../../base/bytes.ts";
import { defined } from "../../base/defined.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import type { RandomSource } from "../../base/random.ts";
import type { Core } from "../../bindings/core/core.ts";
import type { KmsDomain } from "../../bindings/identity/kms-domain.ts";
import type { KeySet, KmsCertificate } from "../../bindings/identity/kms-material.ts";
import type { KmsMessage } from "../../documents/kms-xml/index.ts";
import { wipeSecrets } from "./check-answer.ts";
import type { KeyRing } from "./key-ring.ts";
import type { KeyStore } from "./key-store.ts";
import { type KmsAnswer, KmsRefusedError } from "./kms-answer.ts";
import type { KmsCallOptions, KmsClient } from "./kms-client.ts";
import type { ProvisionEvent } from "./provision-event.ts";
import { type CertificateTools, dropCertificates, takeCertificates } from "./take-certificates.ts";
import {
  dropKeySets,
  heldKeySets,
  missingIn,
  takeKeySets,
  type WantedPeriod,
  wipeKeySets,
} from "./take-keys.ts";
import type { TransportKeys } from "./transport-keys.ts";
import type { KmsTrust } from "./trust.ts";

export interface RunTools {
  readonly client: KmsClient;
  readonly kmsUri: string;
  readonly store: KeyStore;
  readonly trust: KmsTrust;
  readonly core: Core;
  readonly now: () => number;
  readonly random: RandomSource;
  readonly identities: readonly string[];
  readonly keepPeriods: number;
  readonly maxAgeMs: number;
  readonly tell: (event: ProvisionEvent) => void;
}

/** The keys that the KMS takes, and what the answers under them brought. */
export interface Session {
  readonly ring: KeyRing;
  readonly keys: TransportKeys;
  readonly call: KmsCallOptions;
}

/** Notes what an answer brings for the keys between client and KMS; takes the new ones out of it. */
export function note<M extends KmsMessage>({ ring, keys }: Session, answer: KmsAnswer<M>): M {
  try {
    ring.note(answer, keys);
    const { transport = [], integrity = [] } = answer.message.newKeys ?? {};
    for (const { key } of [...transport, ...integrity]) wipe(key);
    return answer.message;
  } catch (error) {
    wipeSecrets(answer.message);
    throw error;
  }
}

/**
 * Stores the certificates of a KMS, and from the Home KMS those of others. The number of the cache they came from.
 * KMSs in the field have `init` and `keyprov` only: what else is missing there is done without.
 */
export async function refreshCertificates(
  tools: RunTools,
  session: Session,
  certificate: KmsCertificate,
): Promise<number | undefined> {
  const { client, store, trust, kmsUri, tell } = tools;
  const from: CertificateTools = { ...tools, from: kmsUri };
  const { call } = session;
  const before = (await store.state(client.userUri, kmsUri))?.cacheNum;
  const cached = await ifSupported(session, () => client.certcache(before, call));
  const cache = cached && note(session, cached);
  const certificates = [certificate, ...(cache?.certificates ?? [])];
  if (kmsUri === trust.home) await refreshTrust(tools, session, certificates);
  const changes = await takeCertificates(certificates, from);
  if (kmsUri === trust.home) {
    const known = new Set((await store.certificates()).map((stored) => stored.certificate.kmsUri));
    for (const uri of trust.kmsUris.filter((other) => !known.has(other))) {
      const answer = await ifSupported(session, () => client.cert(uri, call));
      const found = answer && note(session, answer).certificates.filter((c) => c.kmsUri === uri);
      if (found !== undefined) changes.push(...(await takeCertificates(found, from)));
    }
    changes.push(...(await dropCertificates(from)));
  }
  for (const change of changes) tell({ type: "certificate", ...change });
  return cache?.cacheNum ?? before;
}

/** Asks which KMSs the Home KMS permits: by lookup, or else those whose certificates it gives. */
async function refreshTrust(
  { client, store, trust }: RunTools,
  session: Session,
  certificates: readonly KmsCertificate[],
): Promise<void> {
  if (!trust.acceptListed) return;
  const answer = await ifSupported(session, () => client.lookup(undefined, session.call));
  const before = await store.listed(trust.home);
  const listed =
    answer === undefined
      ? [...new Set([...before, ...certificates.map(({ kmsUri }) => kmsUri)])]
      : [...note(session, answer).kmsUris];
  if (JSON.stringify(listed) !== JSON.stringify(before)) await store.putListed(trust.home, listed);
  trust.list(listed);
}

/**
 * Gets the key sets of an identity that are missing, and drops those of periods long past. The key sets that are there;
 * the caller wipes them.
 *
 * @throws {MikeySakkeError} validation `KMS_KEYS_MISSING`: the KMS gives no keys for now
 */
export async function refreshKeySets(
  tools: RunTools,
  session: Session,
  userUri: string,
  wanted: readonly [WantedPeriod, ...WantedPeriod[]],
  domains: readonly KmsDomain[],
): Promise<KeySet[]> {
  const { client, store, kmsUri, keepPeriods, tell } = tools;
  const [present, ...later] = wanted;
  const held = await heldKeySets(userUri, kmsUri, domains, store);
  const get = async (time?: number) => {
    const target = { uri: userUri, ...defined({ time }) };
    const message = note(session, await client.keyprov(target, session.call));
    try {
      const taken = await takeKeySets(message.keySets, userUri, wanted, domains, store);
      for (const { keyPeriodNo } of taken) tell({ type: "key-set", userUri, keyPeriodNo });
    } finally {
      wipeSecrets(message);
    }
    wipeKeySets(held.splice(0));
    held.push(...(await store.keySets(userUri, kmsUri)));
  };
  try {
    if (missingIn(held, [present], domains).length > 0) await get();
    if (missingIn(held, [present], domains).length > 0) {
      const text = `the KMS gave no keys of ${userUri} for key period ${present.periodNo}`;
      throw new MikeySakkeError("validation", "KMS_KEYS_MISSING", text);
    }
    for (const period of later) {
      // By its policy a KMS may give them out later.
      if (missingIn(held, [period], domains).length > 0) await unlessRefused(session, () => get(period.from));
    }
    for (const { keyPeriodNo } of await dropKeySets(held, present, keepPeriods, domains, store)) {
      tell({ type: "key-set-dropped", userUri, keyPeriodNo });
    }
    return held;
  } catch (error) {
    wipeKeySets(held);
    throw error;
  }
}

/** Undefined when the KMS does not know the resource. */
async function ifSupported<T>(session: Session, call: () => Promise<T>): Promise<T | undefined> {
  return unlessRefused(session, call, [404, 405, 501]);
}

/** With an InK the KMS signs its refusals (D.2.2): others may come from whoever would hide, say, a revocation. */
async function unlessRefused<T>(
  { keys }: Session,
  call: () => Promise<T>,
  statuses: readonly number[] = [400, 403, 404],
): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    const isRefusal = error instanceof KmsRefusedError && statuses.includes(error.status);
    if (isRefusal && (keys.ink === undefined || error.authentic)) return undefined;
    throw error;
  }
}
