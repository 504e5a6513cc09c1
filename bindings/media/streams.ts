/**
 * What a receiver of protected media keeps by MKI and SSRC. A stream is kept from its first authentic packet on; what was
 * derived for packets that proved nothing yet goes into a small cache, so that forgeries fill no memory.
 */
import { andThen, type MaybePromise } from "./maybe.ts";
import { ReplayWindow } from "./packet-index.ts";
import { type SessionKeys, type SrtpMaster, sessionKeys } from "./session-keys.ts";

/** Why a packet was dropped. */
export type MediaFault =
  /** No RTP or RTCP packet, or too short for what follows it. */
  | "malformed"
  /** No key for its MKI, or one that must not be used. */
  | "unknown-key"
  /** Seen before, or too old to tell. */
  | "replayed"
  /** The tag does not fit. */
  | "not-authentic"
  /** SRTCP without encryption, where all is encrypted (TS 33.180 9.4). */
  | "not-encrypted"
  /** One stream more than are kept. */
  | "too-many-streams";

export interface MediaRefusal {
  readonly ok: false;
  readonly fault: MediaFault;
}

export function refused(fault: MediaFault): MediaRefusal {
  return { ok: false, fault };
}

/** Finds the master key by MKI; undefined: there is none, or it must not be used. The caller of `resolve` wipes it. */
export type ResolveMki = (mki: Uint8Array) => SrtpMaster | undefined;

export interface StreamsOptions {
  readonly resolve: ResolveMki;
  /** Pairs of MKI and SSRC that have sent something authentic. Default 4096. */
  readonly maxStreams?: number;
  /** Packets. Default 1024. */
  readonly replayWindow?: number;
}

export interface Stream {
  readonly keys: SessionKeys;
  readonly window: ReplayWindow;
}

const MAX_UNPROVEN = 64;

export class Streams {
  readonly #options: StreamsOptions;
  readonly #labels: { readonly key: number; readonly salt: number };
  readonly #streams = new Map<string, Stream>();
  /** Session keys by MKI: those that an authentic packet came under, and the last few others. */
  readonly #proven = new Map<string, SessionKeys>();
  readonly #unproven = new Map<string, SessionKeys>();

  constructor(options: StreamsOptions, labels: { readonly key: number; readonly salt: number }) {
    this.#options = options;
    this.#labels = labels;
  }

  get size(): number {
    return this.#streams.size;
  }

  /** The stream, or a new one that is not kept before `admit`; undefined without a key. */
  find(mki: Uint8Array, ssrc: number): MaybePromise<Stream | undefined> {
    const name = nameOf(mki);
    const known = this.#streams.get(`${name} ${ssrc}`);
    if (known !== undefined) return known;
    return andThen(this.#keys(name, mki), (keys) =>
      keys === undefined ? undefined : { keys, window: new ReplayWindow(this.#options.replayWindow) },
    );
  }

  #keys(name: string, mki: Uint8Array): MaybePromise<SessionKeys | undefined> {
    const known = this.#proven.get(name) ?? this.#unproven.get(name);
    if (known !== undefined) return known;
    const master = this.#options.resolve(mki);
    if (master === undefined) return undefined;
    return andThen(sessionKeys(master, this.#labels), (keys) => {
      master.key.fill(0);
      master.salt.fill(0);
      const [oldest] = this.#unproven.keys();
      if (this.#unproven.size >= MAX_UNPROVEN) this.#unproven.delete(oldest!);
      this.#unproven.set(name, keys);
      return keys;
    });
  }

  /**
   * Enters an authentic packet: false when it has been entered meanwhile, or when there is no room for its stream. A
   * stream that another packet opened in the meantime is used in place of `stream`.
   */
  admit(mki: Uint8Array, ssrc: number, stream: Stream, index: number): MediaFault | undefined {
    const name = nameOf(mki);
    const key = `${name} ${ssrc}`;
    const kept = this.#streams.get(key);
    if (kept === undefined) {
      if (this.#streams.size >= (this.#options.maxStreams ?? 4096)) return "too-many-streams";
      this.#streams.set(key, stream);
      this.#unproven.delete(name);
      this.#proven.set(name, stream.keys);
    }
    const { window } = kept ?? stream;
    if (!window.isNew(index)) return "replayed";
    window.enter(index);
    return undefined;
  }

  /** Forgets keys and streams of MKIs that `keep` says no to, after a key was revoked or has expired. */
  prune(keep: (mki: Uint8Array) => boolean): void {
    const gone = new Set(
      [...this.#proven.keys(), ...this.#unproven.keys()].filter((name) => !keep(octetsOf(name))),
    );
    for (const name of gone) {
      this.#proven.delete(name);
      this.#unproven.delete(name);
    }
    for (const key of this.#streams.keys()) {
      if (gone.has(key.slice(0, key.indexOf(" ")))) this.#streams.delete(key);
    }
  }
}

function nameOf(mki: Uint8Array): string {
  let name = "";
  for (const octet of mki) name += String.fromCharCode(0x100 + octet);
  return name;
}

function octetsOf(name: string): Uint8Array {
  return Uint8Array.from(name, (character) => character.charCodeAt(0) - 0x100);
}
