/** The issuer of keys over a store: any number of processes may issue from one store at the same time. */
import { MikeySakkeError } from "../../../base/errors.ts";
import type { Core } from "../../../bindings/core/core.ts";
import type { KeySet, KmsCertificate } from "../../../bindings/identity/kms-material.ts";
import { computeUid } from "../../../bindings/identity/uid.ts";
import type { KmsPool } from "../../../bindings/pool/kms.ts";
import type { IssuedKey, KmsStore, MasterRecord } from "../../../store/index.ts";
import { Gatherer } from "../../server/gatherer.ts";
import { Arithmetic } from "./arithmetic.ts";
import { inOrder, slices } from "./in-order.ts";
import type { KeyIssuer, KeyOptions, KeyRequest } from "./key-issuer.ts";
import { keySetOf, wipeKeys } from "./key-sets.ts";
import { Masters, requireNotRevoked } from "./masters.ts";

/** Requests in a batch of those that come at the same time; calls with more than that are batches of their own. */
const GATHERED = 64;
/** Requests in one transaction. */
export const SLICE = 256;
/** Slices at a time: one is saved, one worked out, one stands ready for the workers. */
export const WIDTH = 3;
/** Times that a batch is begun again because another process made a new master. */
const TRIES = 4;

export interface KeyIssuerOptions {
  /** Stays the caller's, as do core and pool. */
  readonly store: KmsStore;
  readonly core: Core;
  /** Works out batches on worker threads. */
  readonly pool?: KmsPool;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** Actor in the audit log entry of each issued key. Default "kms". */
  readonly actor?: string;
}

/** Reads the masters of the store, of which there may be none yet. */
export async function createKeyIssuer(options: KeyIssuerOptions): Promise<KeyIssuer> {
  const issuer = new StoreIssuer(options);
  await issuer.refresh();
  return issuer;
}

class StoreIssuer implements KeyIssuer {
  readonly #store: KmsStore;
  readonly #now: () => number;
  readonly #actor: string;
  readonly #masters: Masters;
  readonly #arithmetic: Arithmetic;
  readonly #gatherer: Gatherer<KeyRequest, KeySet>;
  readonly #underWay = new Set<Promise<unknown>>();
  #destroyed = false;

  constructor({ store, core, pool, now, actor = "kms" }: KeyIssuerOptions) {
    this.#store = store;
    this.#now = now;
    this.#actor = actor;
    this.#masters = new Masters(store, core);
    this.#arithmetic = new Arithmetic(pool);
    this.#gatherer = new Gatherer((requests) => this.#batch(requests, {}), GATHERED);
  }

  async keys(requests: readonly KeyRequest[], options: KeyOptions = {}): Promise<KeySet[]> {
    this.#requireAlive();
    options.signal?.throwIfAborted();
    const work = this.#keys(requests, options);
    this.#underWay.add(work);
    try {
      return await work;
    } finally {
      this.#underWay.delete(work);
    }
  }

  certificateAt(periodNo: number): KmsCertificate {
    this.#requireAlive();
    return this.#masters.of(periodNo).certificate;
  }

  certificates(): readonly KmsCertificate[] {
    return this.#masters.records.map(({ certificate }) => certificate);
  }

  currentCertificate(now: number): KmsCertificate {
    const current = this.certificates().findLast(
      ({ revoked, validFrom = -Infinity, validTo = Infinity }) =>
        revoked !== true && validFrom <= now && now <= validTo,
    );
    if (current !== undefined) return current;
    throw new MikeySakkeError("usage", "NO_MASTER", "the KMS has no certificate that is valid now");
  }

  async refresh(): Promise<void> {
    this.#requireAlive();
    await this.#masters.refresh();
  }

  async destroy(): Promise<void> {
    this.#destroyed = true;
    await Promise.allSettled(this.#underWay);
    await this.#masters.destroy();
  }

  async #keys(requests: readonly KeyRequest[], options: KeyOptions): Promise<KeySet[]> {
    const { onProgress } = options;
    if (requests.length === 0) return [];
    if (requests.length <= GATHERED) {
      const few = await this.#gatherer.add(requests);
      onProgress?.(few.length, requests.length);
      return few;
    }
    const all: KeySet[] = [];
    try {
      const work = (slice: readonly KeyRequest[]) => this.#batch(slice, options);
      for await (const some of inOrder(slices(requests, SLICE), WIDTH, work, wipeKeys)) {
        all.push(...some);
        onProgress?.(all.length, requests.length);
      }
      return all;
    } catch (error) {
      wipeKeys(all);
      throw error;
    }
  }

  /** One transaction's worth. Another process may have made a new master since the masters were read. */
  async #batch(requests: readonly KeyRequest[], options: KeyOptions): Promise<KeySet[]> {
    for (let tries = 1; ; tries++) {
      options.signal?.throwIfAborted();
      try {
        return await this.#once(requests, options);
      } catch (error) {
        const replaced = error instanceof MikeySakkeError && error.code === "MASTER_REPLACED";
        if (!replaced || tries === TRIES) throw error;
        await this.#masters.refresh();
      }
    }
  }

  async #once(requests: readonly KeyRequest[], { signal, unissued }: KeyOptions): Promise<KeySet[]> {
    const known = unissued ? [] : await this.#store.issuedFor(requests);
    const records = new Map<string, IssuedKey>();
    try {
      requests.forEach((request, i) => {
        const record = known[i];
        const name = nameOf(request);
        // A record for each request comes back, also where two are of one key.
        if (record !== undefined && records.has(name)) wipeKeys([record]);
        else if (record !== undefined) records.set(name, record);
      });
      const missing = new Map(requests.map((request) => [nameOf(request), request]));
      for (const name of records.keys()) missing.delete(name);
      const fresh = await this.#issue([...missing.values()], signal);
      for (const record of fresh) records.set(nameOf(record), record);
      if (fresh.length > 0) await this.#store.saveIssued(fresh, { actor: this.#actor });
      return await this.#keySets(requests, records);
    } catch (error) {
      wipeKeys([...records.values()]);
      throw error;
    }
  }

  /** Works keys out, a master at a time. */
  async #issue(requests: readonly KeyRequest[], signal: AbortSignal | undefined): Promise<IssuedKey[]> {
    const records: IssuedKey[] = [];
    const ofMaster = new Map<MasterRecord, KeyRequest[]>();
    for (const request of requests) {
      const master = this.#masters.of(request.periodNo);
      const some = ofMaster.get(master);
      if (some === undefined) ofMaster.set(master, [request]);
      else some.push(request);
    }
    try {
      for (const [master, some] of ofMaster) {
        requireNotRevoked(master);
        const uids = some.map((request) => uidOf(request, master));
        const keys = await this.#arithmetic.issue(await this.#masters.load(master.id), uids, signal);
        const issuedAt = this.#now();
        for (const [i, { userUri, periodNo }] of some.entries()) {
          records.push({ masterId: master.id, userUri, periodNo, uid: uids[i]!, ...keys[i]!, issuedAt });
        }
      }
      return records;
    } catch (error) {
      wipeKeys(records);
      throw error;
    }
  }

  /** A key set of its own for each request, so that each caller can wipe its own. */
  async #keySets(requests: readonly KeyRequest[], records: Map<string, IssuedKey>): Promise<KeySet[]> {
    const all = [...records.values()];
    if (all.some(({ masterId }) => this.#masters.byId(masterId) === undefined)) await this.#masters.refresh();
    for (const { masterId } of all) requireNotRevoked(this.#masters.byId(masterId)!);
    const taken = new Set<IssuedKey>();
    return requests.map((request) => {
      const record = records.get(nameOf(request))!;
      const own = taken.has(record)
        ? { ...record, rsk: record.rsk.slice(), ssk: record.ssk.slice() }
        : record;
      taken.add(record);
      return keySetOf(own, this.#masters.byId(record.masterId)!.certificate);
    });
  }

  #requireAlive(): void {
    if (!this.#destroyed) return;
    throw new MikeySakkeError("usage", "DESTROYED", "the issuer of keys was destroyed");
  }
}

function nameOf({ userUri, periodNo }: KeyRequest): string {
  return `${periodNo} ${userUri}`;
}

function uidOf({ userUri: uri, periodNo }: KeyRequest, { certificate: c }: MasterRecord): Uint8Array {
  const rule = { period: c.userKeyPeriod, offset: c.userKeyOffset };
  return computeUid({ uri, kmsUri: c.kmsUri, keyPeriodNo: periodNo, ...rule });
}
