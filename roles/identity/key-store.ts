/**
 * The items that a client keeps (TS 33.180 5.11.2), by kind: KMS certificates, key sets, TrKs and InKs. Every item is a
 * record of its own, so that tabs and processes on one storage do not undo each other's work.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { fromBase64, toBase64, toHex, utf8, wipe } from "../../base/bytes.ts";
import { type ErrorCode, MikeySakkeError } from "../../base/errors.ts";
import type { KeySet, KmsCertificate } from "../../bindings/identity/kms-material.ts";
import type { NamedKey } from "../../documents/kms-xml/index.ts";
import { decodeRecord, encodeRecord, type StoredRecord } from "./record.ts";
import type { SecretStorage } from "./storage.ts";

export interface StoredCertificate {
  readonly certificate: KmsCertificate;
  /** KmsUri of the KMS that sent it: its own, or the Home KMS. */
  readonly from: string;
}

export type TransportKeyKind = "TrK" | "InK";

/** A TrK or InK of one user with one KMS. */
export interface StoredTransportKey extends NamedKey {
  readonly kind: TransportKeyKind;
  readonly kmsUri: string;
  readonly userUri: string;
  /** Counts up: the newest has the greatest. Clocks may go back. */
  readonly serial: number;
  /** Whether the KMS has used it, so that those before it can go. */
  readonly confirmed: boolean;
  /** Ids of those before it, which are not used again once it is confirmed. */
  readonly replaces?: readonly string[];
}

/** The record of the last time that one KMS was asked. */
export interface KmsState {
  /** Milliseconds since the Unix epoch, by the client's clock. */
  readonly refreshedAt: number;
  /** CacheNum of the certificate cache that it sent. */
  readonly cacheNum?: number;
}

type ReadRecord<T> = (record: { facts: unknown; secrets: readonly Uint8Array[] }) => T;

const REPLACEABLE = /^(?:certificate|key-set|state|listed)\//;
const DAMAGE: ReadonlySet<ErrorCode> = new Set(["STORAGE_SEAL", "STORAGE_FORMAT"]);

type TransportKeyFacts = Omit<StoredTransportKey, "key">;

export class KeyStore {
  readonly #storage: SecretStorage;

  /** `storage`: one that seals, unless it ends with the process. Names of records are hashes of identities. */
  constructor(storage: SecretStorage) {
    this.#storage = storage;
  }

  /** The certificates of one KMS, or all, those that are over or revoked too. */
  async certificates(kmsUri?: string): Promise<StoredCertificate[]> {
    const prefix = kmsUri === undefined ? "certificate/" : `certificate/${hash(kmsUri)}/`;
    return this.#all(prefix, ({ facts }) => certificateOf(facts as never));
  }

  /** One with the same CertUri is replaced, others stay (5.3.5). `from` is the KMS that sent it. */
  async putCertificate(certificate: KmsCertificate, from: string): Promise<void> {
    await this.#put(certificateName(certificate), certificateFacts({ certificate, from }), []);
  }

  async deleteCertificate(certificate: KmsCertificate): Promise<void> {
    await this.#storage.delete(certificateName(certificate));
  }

  /** The key sets of one identity under one KMS, by period. The caller wipes them. */
  async keySets(userUri: string, kmsUri: string): Promise<KeySet[]> {
    const found = await this.#all(`key-set/${hash(kmsUri, userUri)}/`, (record) => keySetOf(record as never));
    return found.sort((a, b) => a.keyPeriodNo - b.keyPeriodNo);
  }

  async putKeySet(keySet: KeySet): Promise<void> {
    const { rsk, ssk } = keySet;
    await this.#put(keySetName(keySet), keySetFacts(keySet), [rsk, ssk]);
  }

  async deleteKeySet(keySet: Pick<KeySet, "kmsUri" | "userUri" | "keyPeriodNo" | "certUri">): Promise<void> {
    await this.#storage.delete(keySetName(keySet));
  }

  /** TrKs and InKs of a user with a KMS, the oldest first. The caller wipes them. */
  async transportKeys(userUri: string, kmsUri: string): Promise<StoredTransportKey[]> {
    const prefix = `transport-key/${hash(kmsUri, userUri)}/`;
    const found = await this.#all(prefix, ({ facts, secrets: [key] }) => ({
      ...(facts as TransportKeyFacts),
      key: key!,
    }));
    return found.sort((a, b) => a.serial - b.serial);
  }

  async putTransportKey({ key, ...facts }: StoredTransportKey): Promise<void> {
    await this.#put(transportKeyName(facts), facts, [key]);
  }

  async deleteTransportKey(facts: Omit<StoredTransportKey, "key">): Promise<void> {
    await this.#storage.delete(transportKeyName(facts));
  }

  async state(userUri: string, kmsUri: string): Promise<KmsState | undefined> {
    const [state] = await this.#all(stateName(userUri, kmsUri), ({ facts }) => facts as KmsState);
    return state;
  }

  async putState(userUri: string, kmsUri: string, state: KmsState): Promise<void> {
    await this.#put(stateName(userUri, kmsUri), state, []);
  }

  /** Returns what the KMS `home` listed last, see `KmsTrust.list`. */
  async listed(home: string): Promise<readonly string[]> {
    const [listed] = await this.#all(listedName(home), ({ facts }) => facts as string[]);
    return listed ?? [];
  }

  async putListed(home: string, kmsUris: readonly string[]): Promise<void> {
    await this.#put(listedName(home), kmsUris, []);
  }

  async #put(name: string, facts: object, secrets: readonly Uint8Array[]): Promise<void> {
    const octets = encodeRecord(facts, secrets);
    try {
      await this.#storage.put(name, octets);
    } finally {
      wipe(octets);
    }
  }

  /**
   * Deletes records that do not open but can be got again: all but TrKs and InKs. Not when nothing opens, as then it is
   * the storage key that is wrong. Their names.
   */
  async dropDamaged(): Promise<string[]> {
    const damaged: { name: string; error: MikeySakkeError }[] = [];
    let opens = false;
    for (const name of await this.#storage.list("")) {
      try {
        await this.#read(name, ({ secrets }) => wipe(...secrets));
        opens = true;
      } catch (error) {
        if (!(error instanceof MikeySakkeError) || !DAMAGE.has(error.code)) throw error;
        if (REPLACEABLE.test(name)) damaged.push({ name, error });
      }
    }
    const [first] = damaged;
    if (first === undefined) return [];
    if (!opens) throw first.error;
    // A KMS sends its cache of certificates again only to whoever names no number of it.
    if (damaged.some(({ name }) => name.startsWith("certificate/"))) {
      for (const name of await this.#storage.list("state/")) await this.#storage.delete(name);
    }
    for (const { name } of damaged) await this.#storage.delete(name);
    return damaged.map(({ name }) => name);
  }

  async #all<T>(prefix: string, read: ReadRecord<T>): Promise<T[]> {
    const found: T[] = [];
    for (const name of await this.#storage.list(prefix)) {
      const record = await this.#read(name, (opened) => ({ value: read(opened) }));
      if (record !== undefined) found.push(record.value);
    }
    return found;
  }

  /** A record that another process deletes meanwhile is passed over. */
  async #read<T>(name: string, read: ReadRecord<T>): Promise<T | undefined> {
    const octets = await this.#storage.get(name);
    return octets && read(decodeRecord(name, octets));
  }
}

function certificateName({ kmsUri, certUri }: KmsCertificate): string {
  return `certificate/${hash(kmsUri)}/${hash(certUri ?? "")}`;
}

/** Two certificates of one KMS may have keys for one period. */
function keySetName({
  kmsUri,
  userUri,
  keyPeriodNo,
  certUri,
}: Parameters<KeyStore["deleteKeySet"]>[0]): string {
  return `key-set/${hash(kmsUri, userUri)}/${keyPeriodNo}/${hash(certUri ?? "")}`;
}

function transportKeyName({ kmsUri, userUri, kind, id }: Omit<StoredTransportKey, "key">): string {
  return `transport-key/${hash(kmsUri, userUri)}/${kind.toLowerCase()}/${hash(id)}`;
}

function stateName(userUri: string, kmsUri: string): string {
  return `state/${hash(kmsUri, userUri)}`;
}

function listedName(home: string): string {
  return `listed/${hash(home)}`;
}

/** 128 bits: names stay short, and tell whoever sees them no identities at once. */
function hash(...parts: readonly string[]): string {
  return toHex(sha256(utf8(JSON.stringify(parts))).subarray(0, 16));
}

/** A certificate in a record: JSON, with octets in base64. */
type CertificateFacts = Omit<KmsCertificate, "pubEncKey" | "pubAuthKey"> & {
  readonly pubEncKey: string;
  readonly pubAuthKey: string;
};

/** The public part of a key set in a record. */
type KeySetFacts = Omit<KeySet, "uid" | "pvt" | "rsk" | "ssk"> & {
  readonly uid: string;
  readonly pvt: string;
};

function certificateFacts({ certificate, from }: StoredCertificate): object {
  const { pubEncKey, pubAuthKey } = certificate;
  const facts: CertificateFacts = {
    ...certificate,
    pubEncKey: toBase64(pubEncKey),
    pubAuthKey: toBase64(pubAuthKey),
  };
  return { certificate: facts, from };
}

function certificateOf(facts: { certificate: CertificateFacts; from: string }): StoredCertificate {
  const { pubEncKey, pubAuthKey } = facts.certificate;
  const keys = { pubEncKey: fromBase64(pubEncKey), pubAuthKey: fromBase64(pubAuthKey) };
  return { from: facts.from, certificate: { ...facts.certificate, ...keys } };
}

/** The RSK and SSK are kept apart, in this order. */
function keySetFacts({ rsk: _rsk, ssk: _ssk, uid, pvt, ...facts }: KeySet): object {
  return { ...facts, uid: toBase64(uid), pvt: toBase64(pvt) } satisfies KeySetFacts;
}

function keySetOf({ facts, secrets: [rsk, ssk] }: StoredRecord<KeySetFacts>): KeySet {
  return { ...facts, uid: fromBase64(facts.uid), pvt: fromBase64(facts.pvt), rsk: rsk!, ssk: ssk! };
}
