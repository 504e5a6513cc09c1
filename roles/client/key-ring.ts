/**
 * The TrKs and InKs of a client through a replacement (TS 33.180 5.3, D.2.2). A new key is named in the next request; the
 * one before is kept until the KMS has used the new one, since the KMS may not have got to know that it arrived.
 */
import { equal, wipe } from "../../bindings/bytes.ts";
import { MikeySakkeError } from "../../bindings/errors.ts";
import type { NamedKey, NewKeys } from "../../transport/kms-xml/index.ts";
import type { KeyStore, StoredTransportKey, TransportKeyKind } from "./key-store.ts";
import { type KmsAnswer, KmsRefusedError } from "./kms-answer.ts";
import type { TransportKeys } from "./kms-client.ts";

const KINDS = { TrK: "trk", InK: "ink" } as const;

export class KeyRing {
  readonly #store: KeyStore;
  readonly #owner: { readonly userUri: string; readonly kmsUri: string };
  /** From the store, the oldest first. */
  readonly #stored: readonly StoredTransportKey[];
  /** Those that the client was set up with. */
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
   * What to use, the newest first; then what the KMS is known to have used, then what the client was set up with. None
   * protects less than the first, or whoever stands between could have the protection taken away.
   */
  get candidates(): readonly TransportKeys[] {
    const newest = this.#pick(() => true);
    const all = [newest, this.#pick(({ confirmed }) => confirmed), this.#base];
    return all.filter(
      (keys, i) =>
        Object.values(KINDS).every((kind) => newest[kind] === undefined || keys[kind] !== undefined) &&
        all.findIndex((other) => idsOf(other) === idsOf(keys)) === i,
    );
  }

  #pick(test: (key: StoredTransportKey) => boolean): TransportKeys {
    const found: { -readonly [K in keyof TransportKeys]: TransportKeys[K] } = { ...this.#base };
    for (const key of this.#stored) if (test(key)) found[KINDS[key.kind]] = key;
    return found;
  }

  /** Whether there is a key among them that the KMS is not known to have used. */
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

  /** Of several keys the last; they are all as good, and it need not be more than one. */
  #offer({ transport, integrity }: NewKeys, used: TransportKeys): void {
    for (const [kind, offered] of [
      ["TrK", transport],
      ["InK", integrity],
    ] as const) {
      const key = offered.at(-1);
      if (key === undefined) continue;
      const present = used[KINDS[kind]];
      if (present?.id !== key.id) this.#offered.set(kind, { id: key.id, key: new Uint8Array(key.key) });
      else if (!equal(present.key, key.key)) {
        const text = `the KMS sent another ${kind} under the id of the one in use`;
        throw new MikeySakkeError("validation", "KMS_NEW_KEY_ID", text);
      }
    }
  }

  /**
   * When all that came with them is verified and stored: stores new keys, confirms those that the KMS used, and deletes
   * what they replaced and what the KMS refused. The ids of the new keys by kind.
   */
  async settle(working: TransportKeys): Promise<{ kind: TransportKeyKind; id: string }[]> {
    const added: { kind: TransportKeyKind; id: string }[] = [];
    const serial = Math.max(0, ...this.#stored.map((stored) => stored.serial)) + 1;
    for (const [kind, { id, key }] of this.#offered) {
      if (this.#stored.some((stored) => stored.kind === kind && stored.id === id && equal(stored.key, key)))
        continue;
      await this.#store.putTransportKey({ ...this.#owner, kind, id, key, serial, confirmed: false });
      added.push({ kind, id });
    }
    for (const stored of this.#stored) {
      const inUse = working[KINDS[stored.kind]];
      if (inUse?.id === stored.id) {
        if (!stored.confirmed && this.#seen.has(stored.id)) {
          await this.#store.putTransportKey({ ...stored, confirmed: true });
        }
      } else if (
        inUse !== undefined &&
        this.#seen.has(inUse.id) &&
        this.#offered.get(stored.kind)?.id !== stored.id
      ) {
        await this.#store.deleteTransportKey(stored);
      }
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

/** Whether another TrK or InK may cure a failure. */
export function mayBeTheKeys(error: unknown): boolean {
  if (error instanceof KmsRefusedError) return error.status === 400 || error.status === 403;
  if (!(error instanceof MikeySakkeError)) return false;
  const { code } = error;
  return (
    code.startsWith("XML_SIGNATURE_") || ["KMS_SIGNATURE_ID", "KMS_TRK_UNKNOWN", "KEY_UNWRAP"].includes(code)
  );
}
