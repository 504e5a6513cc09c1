/** From what a client keeps to what seals and opens: domains, Initiator and Receiver. */
import { wipe } from "../../base/bytes.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import type { Core } from "../../bindings/core/core.ts";
import { Initiator } from "../../bindings/identity/initiator.ts";
import { KmsDomain } from "../../bindings/identity/kms-domain.ts";
import type { KeySet } from "../../bindings/identity/kms-material.ts";
import { Receiver, type ReceiverOptions } from "../../bindings/identity/receiver.ts";
import type { KeyStore } from "./key-store.ts";
import type { KmsTrust } from "./trust.ts";

export interface ClientKeys {
  /** KmsUri of the Home KMS: servers and users are keyed by it unless configuration says otherwise. */
  readonly homeKms: string;
  /** Domains of all KMSs that may be used; several of one KMS around a change of its master secrets. */
  readonly domains: readonly KmsDomain[];
  /** Under the Home KMS, unless another was asked for. */
  readonly initiator: Initiator;
  /** With the keys of all KMSs that key the identity. */
  readonly receiver: Receiver;
  /** Key sets that failed their checks; the next provisioning gets them again. */
  readonly rejected: readonly MikeySakkeError[];
  /** Clears all of it. */
  destroy(): void;
}

export interface LoadKeysOptions extends ReceiverOptions {
  /** The identity; without its keys nothing can be loaded. */
  readonly userUri: string;
  /** The KMS whose keys sign; the Home KMS when absent. */
  readonly kmsUri?: string;
}

/** @throws {MikeySakkeError} usage `NOT_PROVISIONED` */
export async function loadKeys(
  core: Core,
  store: KeyStore,
  trust: KmsTrust,
  { userUri, kmsUri = trust.home, ...options }: LoadKeysOptions,
): Promise<ClientKeys> {
  trust.requireKeying(kmsUri);
  const domains = await loadDomains(core, store, trust);
  const keySets: KeySet[] = [];
  const rejected: MikeySakkeError[] = [];
  let receiver: Receiver | undefined;
  let initiator: Initiator | undefined;
  try {
    for (const uri of trust.kmsUris) keySets.push(...(await store.keySets(userUri, uri)));
    receiver = Receiver.load(domains, [], options);
    for (const keySet of keySets) {
      try {
        receiver.add(keySet);
        if (keySet.kmsUri !== kmsUri) continue;
        if (initiator === undefined) {
          initiator = Initiator.load(
            domains.filter((domain) => domain.kmsUri === kmsUri),
            [keySet],
          );
        } else initiator.add(keySet);
      } catch (error) {
        if (!(error instanceof MikeySakkeError)) throw error;
        rejected.push(error);
      }
    }
    if (initiator === undefined) {
      throw new MikeySakkeError("usage", "NOT_PROVISIONED", `${userUri}: no keys of KMS ${kmsUri}`);
    }
  } catch (error) {
    initiator?.destroy();
    receiver?.destroy();
    for (const domain of domains) domain.destroy();
    throw error;
  } finally {
    for (const { rsk, ssk } of keySets) wipe(rsk, ssk);
  }
  const made = { domains, initiator, receiver };
  return {
    homeKms: trust.home,
    ...made,
    rejected,
    destroy() {
      made.initiator.destroy();
      made.receiver.destroy();
      for (const domain of domains) domain.destroy();
    },
  };
}

/**
 * The domains of the KMSs that may be used, as stored, from certificates that are not revoked. Another KMS than the Home
 * KMS vouches for the identities of its KmsDomainList only, and for none without one.
 */
export async function loadDomains(core: Core, store: KeyStore, trust: KmsTrust): Promise<KmsDomain[]> {
  trust.list(await store.listed(trust.home));
  const domains: KmsDomain[] = [];
  try {
    for (const { certificate, from } of await store.certificates()) {
      const { kmsUri, revoked } = certificate;
      if (revoked === true || trust.kindOf(kmsUri) === undefined || !trust.mayCertify(from, kmsUri)) continue;
      domains.push(KmsDomain.load(core, trust.limited(certificate)));
    }
    return domains;
  } catch (error) {
    for (const domain of domains) domain.destroy();
    throw error;
  }
}
