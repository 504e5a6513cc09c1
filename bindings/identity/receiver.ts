/**
 * The receiving side: the identities of one end point, each with decryption keys of one or more key periods
 * (RFC 6509 3.3 wants two at once), and the KMS domains it knows, each with one or more certificates: those that key it
 * and those of others.
 */
import { equal, toHex } from "../../base/bytes.ts";
import { refusal } from "../../base/checks.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import { SakkeReceiver } from "../sakke/index.ts";
import { DomainSet } from "./domain-set.ts";
import { checkKeySet } from "./key-set.ts";
import type { KmsDomain } from "./kms-domain.ts";
import type { KeySet } from "./kms-material.ts";

export interface DecryptionKey {
  readonly domain: KmsDomain;
  readonly uri: string;
  readonly uid: Uint8Array;
  readonly periodNo: number;
  readonly sakke: SakkeReceiver;
}

export interface ReceiverOptions {
  /** Spend time and memory on each RSK so that decapsulation is fast; worth it after a few messages. */
  readonly prepare?: boolean;
}

export class Receiver {
  readonly #domains = new DomainSet();
  readonly #keys = new Map<string, DecryptionKey>();
  readonly #options: ReceiverOptions;

  private constructor(options: ReceiverOptions) {
    this.#options = options;
  }

  /** Every KMS of `keySets` must be among `domains`; further domains are those of peers. Checks 73 to 76. */
  static load(
    domains: readonly KmsDomain[],
    keySets: readonly KeySet[],
    options: ReceiverOptions = {},
  ): Receiver {
    const receiver = new Receiver(options);
    try {
      for (const domain of domains) receiver.addDomain(domain);
      for (const keySet of keySets) receiver.add(keySet);
    } catch (error) {
      receiver.destroy();
      throw error;
    }
    return receiver;
  }

  /**
   * Adds a KMS domain, or replaces the one of the same KmsUri and CertUri. The caller keeps the domain and destroys it,
   * one that was replaced not before the keys that were added under it.
   */
  addDomain(domain: KmsDomain): void {
    const old = this.#domains.add(domain);
    if (old === undefined || !equal(old.certificate.pubEncKey, domain.certificate.pubEncKey)) return;
    for (const [index, key] of this.#keys) if (key.domain === old) this.#keys.set(index, { ...key, domain });
  }

  /** Adds the keys of one identity for one key period, under one of the certificates of its KMS. */
  add(keySet: KeySet): void {
    const domain = this.#domains.of(keySet);
    if (domain === undefined) {
      throw refusal(
        "KEY_SET_OF_OTHER_KMS",
        `key set of ${keySet.userUri}: KMS ${keySet.kmsUri} is not known`,
      );
    }
    checkKeySet(domain, keySet);
    const sakke = loadSakke(domain, keySet, this.#options);
    const index = indexOf(domain, keySet.uid);
    this.#keys.get(index)?.sakke.destroy();
    const { userUri: uri, keyPeriodNo: periodNo } = keySet;
    this.#keys.set(index, { domain, uri, uid: new Uint8Array(keySet.uid), periodNo, sakke });
  }

  /** Destroys the keys of all periods of a domain before `periodNo`: their end is the means of revocation. */
  dropBefore(kmsUri: string, periodNo: number): void {
    for (const [index, key] of this.#keys) {
      if (key.domain.kmsUri !== kmsUri || key.periodNo >= periodNo) continue;
      key.sakke.destroy();
      this.#keys.delete(index);
    }
  }

  /** The domain whose certificate is valid at T, where a KMS has several; without a time the newest. */
  domain(kmsUri: string, unixMs?: number): KmsDomain | undefined {
    return this.#domains.at(kmsUri, unixMs);
  }

  /** The key for an UID, of whatever identity and period it is, under the certificate valid at T. */
  keyOf(kmsUri: string, uid: Uint8Array, unixMs?: number): DecryptionKey | undefined {
    const domain = this.domain(kmsUri, unixMs);
    return domain && this.#keys.get(indexOf(domain, uid));
  }

  /** Returns whether `kmsUri` keys this end point at all. */
  isKeyedBy(kmsUri: string): boolean {
    return this.#some((key) => key.domain.kmsUri === kmsUri);
  }

  /** Returns whether `uri` is one of this end point's identities in the domain of `kmsUri`, in any period. */
  isMine(kmsUri: string, uri: string): boolean {
    return this.#some((key) => key.domain.kmsUri === kmsUri && key.uri === uri);
  }

  #some(test: (key: DecryptionKey) => boolean): boolean {
    for (const key of this.#keys.values()) if (test(key)) return true;
    return false;
  }

  destroy(): void {
    for (const { sakke } of this.#keys.values()) sakke.destroy();
    this.#keys.clear();
  }
}

/** The UID does not follow from the master secrets: two certificates may have keys for the same one. */
function indexOf({ kmsUri, certificate }: KmsDomain, uid: Uint8Array): string {
  return `${toHex(uid)} ${kmsUri} ${certificate.certUri ?? ""}`;
}

function loadSakke(domain: KmsDomain, keySet: KeySet, options: ReceiverOptions): SakkeReceiver {
  try {
    return SakkeReceiver.load(domain.encryption, keySet.uid, keySet.rsk, options);
  } catch (cause) {
    if (!(cause instanceof MikeySakkeError)) throw cause;
    throw refusal("RSK_INVALID", `RSK of ${keySet.userUri}: ${cause.message}`, { cause });
  }
}
