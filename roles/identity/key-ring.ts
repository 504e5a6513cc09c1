/**
 * The TrKs and InKs of a client through a replacement (TS 33.180 5.3, D.2.2). A new key is named in the next request; the
 * one before is kept until the KMS has used the new one, since the KMS may not have got to know that it arrived. From
 * then on no refusal leads back to it, nor to one that the client was set up with: whoever came by it would be the KMS.
 */
import { equal, wipe } from "../../base/bytes.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import type { NamedKey, NewKeys } from "../../documents/kms-xml/index.ts";
import type { KeyStore, StoredTransportKey, TransportKeyKind } from "./key-store.ts";
import { type KmsAnswer, KmsRefusedError } from "./kms-answer.ts";
import type { TransportKeys } from "./transport-keys.ts";

const KINDS = { TrK: "trk", InK: "ink" } as const;
const KIND_NAMES = ["TrK", "InK"] as const;

export class KeyRing {
  readonly #store: KeyStore;
  readonly #owner: { readonly userUri: string; readonly kmsUri: string };
  /** From the store, the oldest first. */
  #stored: readonly StoredTransportKey[];
  /** The transport keys with which the client was set up. */
  readonly #base: TransportKeys;
  readonly #offered = new Map<TransportKeyKind, NamedKey>();
  readonly #seen = new Set<string>();

  private constructor(
    store: KeyStore,
    owner: { readonly userUri: string; readonly kmsUri: string },
    stored: readonly StoredTransportKey[],
    base: TransportKeys,
  ) {
    this.#store = store;
    this.#owner = owner;
    this.#stored = stored;
    this.#base = base;
  }

  static async open(
    store: KeyStore,
    owner: { readonly userUri: string; readonly kmsUri: string },
    base: TransportKeys,
  ): Promise<KeyRing> {
    return new KeyRing(store, owner, await store.transportKeys(owner.userUri, owner.kmsUri), base);
  }

  /**
   * Returns what to use, the newest first; then, while the KMS is not known to have used that, what it replaces. The
   * second does not protect less than the first, or whoever stands between could have the protection taken away.
   */
  get candidates(): readonly TransportKeys[] {
    const newest = this.#pick(() => true);
    const before = this.#pick(({ confirmed }) => confirmed);
    const isOther = idsOf(before) !== idsOf(newest);
    const protectsLess = Object.values(KINDS).some((kind) => newest[kind] && before[kind] === undefined);
    return isOther && !protectsLess ? [newest, before] : [newest];
  }

  #pick(test: (key: StoredTransportKey) => boolean): TransportKeys {
    const found: { -readonly [K in keyof TransportKeys]: TransportKeys[K] } = {};
    for (const kind of KIND_NAMES) {
      const base = this.#base[KINDS[kind]];
      const key = this.#isSetAnew(kind) ? base : (this.#of(kind).findLast(test) ?? base);
      if (key !== undefined) found[KINDS[kind]] = key;
    }
    return found;
  }

  #of(kind: TransportKeyKind): readonly StoredTransportKey[] {
    return this.#stored.filter((stored) => stored.kind === kind);
  }

  /** Returns whether the host gave a key after those of the store: it counts, as an operator had reason to bring it. */
  #isSetAnew(kind: TransportKeyKind): boolean {
    const base = this.#base[KINDS[kind]];
    const stored = this.#of(kind);
    if (base === undefined || stored.length === 0) return false;
    return !stored.some(({ id, replaces = [] }) => id === base.id || replaces.includes(base.id));
  }

  /** Ids of all that a new key comes after. */
  #idsBefore(kind: TransportKeyKind, newId: string): string[] {
    const base = this.#base[KINDS[kind]];
    const ids = this.#of(kind).flatMap(({ id, replaces = [] }) => [...replaces, id]);
    return [...new Set([...(base === undefined ? [] : [base.id]), ...ids])].filter((id) => id !== newId);
  }

  get #nextSerial(): number {
    return Math.max(0, ...this.#stored.map(({ serial }) => serial)) + 1;
  }

  /** Returns whether there is a key among them that the KMS is not known to have used. */
  hasNew({ trk, ink }: TransportKeys): boolean {
    return this.#stored.some(({ id, confirmed }) => !confirmed && (id === trk?.id || id === ink?.id));
  }

  /** Ids of all keys, to tell whether another process changed them. */
  get ids(): string {
    return this.#stored.map(({ id }) => id).join(" ");
  }

  /**
   * Notes what an answer to a request under `keys` used, and takes its new keys in, not yet for good.
   *
   * @throws {MikeySakkeError} validation `KMS_NEW_KEY_ID`: another key under the id of one in use
   */
  note({ signedWith, wrappedWith, message }: KmsAnswer, keys: TransportKeys): void {
    // A signed answer shows that the KMS took all that the request named.
    const used = signedWith === undefined ? [wrappedWith] : [keys.trk?.id, keys.ink?.id];
    for (const id of used) if (id !== undefined) this.#seen.add(id);
    if (message.newKeys !== undefined) this.#offer(message.newKeys, keys);
  }

  /** Keeps the last of several offered keys: all are equally good, and one is enough. */
  #offer({ transport, integrity }: NewKeys, used: TransportKeys): void {
    for (const [kind, offered] of [
      ["TrK", transport],
      ["InK", integrity],
    ] as const) {
      const key = offered.at(-1);
      if (key === undefined) continue;
      const isKept = (stored: StoredTransportKey) => stored.confirmed && stored.id === key.id;
      const present = this.#of(kind).find(isKept) ?? used[KINDS[kind]];
      if (present?.id !== key.id) this.#offered.set(kind, { id: key.id, key: new Uint8Array(key.key) });
      else if (!equal(present.key, key.key)) {
        const text = `the KMS sent another ${kind} under the id of the one in use`;
        throw new MikeySakkeError("validation", "KMS_NEW_KEY_ID", text);
      }
    }
  }

  /** Confirms those in use that the KMS was seen to use, and deletes what they replaced. */
  async confirm(working: TransportKeys): Promise<void> {
    for (const kind of KIND_NAMES) {
      const inUse = working[KINDS[kind]];
      const others = this.#of(kind);
      if (inUse === undefined || others.length === 0 || !this.#seen.has(inUse.id)) continue;
      const stored = others.find(({ id }) => id === inUse.id);
      if (stored === undefined && !this.#isSetAnew(kind)) continue;
      const confirmed = stored ? { ...stored, confirmed: true } : this.#recordOf(kind, inUse);
      if (stored?.confirmed !== true) await this.#store.putTransportKey(confirmed);
      this.#stored = [...this.#stored.filter((key) => key !== stored), confirmed].sort(
        (x, y) => x.serial - y.serial,
      );
      for (const old of others) if (old.serial < confirmed.serial) await this.#delete(old);
    }
  }

  /** A key that the host set anew goes into the store, so that none before it is used again. */
  #recordOf(kind: TransportKeyKind, { id, key }: NamedKey): StoredTransportKey {
    const replaces = this.#idsBefore(kind, id);
    const facts = { ...this.#owner, kind, id, serial: this.#nextSerial, confirmed: true, replaces };
    return { ...facts, key: new Uint8Array(key) };
  }

  async #delete(old: StoredTransportKey): Promise<void> {
    await this.#store.deleteTransportKey(old);
    wipe(old.key);
    this.#stored = this.#stored.filter((key) => key !== old);
  }

  /**
   * When all that came with them is verified and stored: confirms, stores new keys, and deletes those never confirmed
   * that the KMS has forgotten: it takes the key before them, and does not send them again. The ids of the new keys by
   * kind.
   */
  async settle(working: TransportKeys): Promise<{ kind: TransportKeyKind; id: string }[]> {
    await this.confirm(working);
    const added: { kind: TransportKeyKind; id: string }[] = [];
    const serial = this.#nextSerial;
    for (const [kind, { id, key }] of this.#offered) {
      if (this.#of(kind).some((stored) => stored.id === id && equal(stored.key, key))) continue;
      const facts = { ...this.#owner, kind, id, serial, replaces: this.#idsBefore(kind, id) };
      await this.#store.putTransportKey({ ...facts, key, confirmed: false });
      added.push({ kind, id });
    }
    for (const stored of this.#stored.filter(({ confirmed }) => !confirmed)) {
      const inUse = working[KINDS[stored.kind]];
      const isPassedOver = inUse !== undefined && inUse.id !== stored.id && this.#seen.has(inUse.id);
      if (isPassedOver && this.#offered.get(stored.kind)?.id !== stored.id) await this.#delete(stored);
    }
    return added;
  }

  /** Clears the keys of the store and the new ones, not those that the client was set up with. */
  destroy(): void {
    for (const { key } of this.#stored) wipe(key);
    for (const { key } of this.#offered.values()) wipe(key);
  }
}

function idsOf({ trk, ink }: TransportKeys): string {
  return JSON.stringify([trk?.id, ink?.id]);
}

/** Returns whether another TrK or InK may cure a failure. Unsigned refusals too: of a key that a KMS lost it signs none. */
export function mayBeTheKeys(error: unknown): boolean {
  if (error instanceof KmsRefusedError) return error.status === 400 || error.status === 403;
  if (!(error instanceof MikeySakkeError)) return false;
  const { code } = error;
  return (
    code.startsWith("XML_SIGNATURE_") || ["KMS_SIGNATURE_ID", "KMS_TRK_UNKNOWN", "KEY_UNWRAP"].includes(code)
  );
}
