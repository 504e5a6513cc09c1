/**
 * Keys of a token issuer, from the JWK Set (RFC 7517) that it serves. They are fetched again once they are ten minutes old. While
 * that fails, the last known keys still count, for as long as the configuration says (decision D-182).
 */
import { createLocalJWKSet, errors, type FlattenedJWSInput, type JWSHeaderParameters } from "jose";
import { fromUtf8 } from "../../base/bytes.ts";
import { deadline } from "../../base/deadline.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import { readAll } from "../../transport/http/body.ts";
import type { IssuerStates } from "./issuer-metrics.ts";
import { LastingFaults } from "./lasting-faults.ts";
import { noLog, type ServerLog } from "./log.ts";

/** A JWK Set as its issuer served it. */
export interface KnownKeys {
  /** Milliseconds since the Unix epoch. */
  readonly fetchedAt: number;
  readonly jwks: unknown;
}

/** The store of the last known keys of issuers, by the URI of their JWK Set. */
export interface IssuerKeyStore {
  read(jwksUri: string): Promise<KnownKeys | undefined>;
  write(jwksUri: string, keys: KnownKeys): Promise<void>;
}

export interface IssuerKeysOptions {
  readonly jwksUri: string;
  /** Milliseconds for which the last known keys count while no others can be had. */
  readonly graceMs: number;
  readonly store: IssuerKeyStore;
  /** Told whether each request was answered with keys. */
  readonly states: IssuerStates;
  readonly fetch?: typeof fetch;
  readonly log?: ServerLog;
}

const FRESH_MS = 600_000;
/** After a failure. */
const ASK_AGAIN_MS = 30_000;
/** Between two requests for keys that are not known: otherwise anybody could have the issuer asked without end. */
const UNKNOWN_MS = 10_000;
const TIMEOUT_MS = 5000;
const MAX_BYTES = 256 << 10;

/** Parts of the server, for the log of its faults. */
const FETCHING = "keys of the token issuer";
const KEEPING = "last known keys of the token issuer";

type KeyFinder = ReturnType<typeof createLocalJWKSet>;

interface HeldKeys extends KnownKeys {
  readonly find: KeyFinder;
}

/** Keeps them for the life of the process. */
export class MemoryIssuerKeys implements IssuerKeyStore {
  readonly #keys = new Map<string, KnownKeys>();

  async read(jwksUri: string): Promise<KnownKeys | undefined> {
    return this.#keys.get(jwksUri);
  }

  async write(jwksUri: string, keys: KnownKeys): Promise<void> {
    this.#keys.set(jwksUri, keys);
  }
}

export class IssuerKeys {
  readonly #options: IssuerKeysOptions;
  readonly #faults: LastingFaults;
  #held: HeldKeys | undefined;
  #failure: { readonly at: number; readonly error: MikeySakkeError } | undefined;
  #fetching: Promise<void> | undefined;
  /** When a key that was not known last had the issuer asked. */
  #askedAt: number | undefined;

  constructor(options: IssuerKeysOptions) {
    this.#options = options;
    this.#faults = new LastingFaults(options.log ?? noLog);
  }

  /**
   * The key that a token with this header is signed with.
   *
   * @param now milliseconds since the Unix epoch
   * @throws {MikeySakkeError} transport `ISSUER_KEYS_UNAVAILABLE`; `ISSUER_KEY_UNKNOWN` where the issuer may have the key
   *   by now, and is not asked again yet
   * @throws {errors.JWKSNoMatchingKey} the issuer has no such key
   */
  async find(header: JWSHeaderParameters, token: FlattenedJWSInput, now: number): ReturnType<KeyFinder> {
    const before = this.#held;
    if (!isWithin(FRESH_MS, before?.fetchedAt, now)) {
      const fetching = this.#fetch(now);
      // An issuer that was away at the last attempt keeps nobody waiting whose key is known.
      if (this.#failure === undefined || !this.#counts(now)) await fetching;
    }
    if (!this.#counts(now)) {
      throw this.#failure?.error ?? unavailable(this.#options.jwksUri, "the last known keys are too old");
    }
    const held = this.#held!;
    try {
      return await held.find(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      // What was fetched for this token says that there is no such key.
      if (held !== before && this.#failure === undefined) throw error;
      if (this.#held === held) await this.#askForUnknown(now);
      return this.#held!.find(header, token);
    }
  }

  /** It may be a key that the issuer has changed to since. */
  async #askForUnknown(now: number): Promise<void> {
    if (this.#fetching === undefined && this.#failure === undefined) {
      if (isWithin(UNKNOWN_MS, this.#askedAt, now)) {
        const text = `${this.#options.jwksUri}: had no such key when it was asked less than ${UNKNOWN_MS / 1000} s ago`;
        throw new MikeySakkeError("transport", "ISSUER_KEY_UNKNOWN", text);
      }
      this.#askedAt = now;
    }
    await this.#fetch(now);
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #counts(now: number): boolean {
    return isWithin(Math.max(FRESH_MS, this.#options.graceMs), this.#held?.fetchedAt, now);
  }

  /** Leaves either other keys or a failure. Does not reject. */
  #fetch(now: number): Promise<void> {
    if (this.#counts(now) && isWithin(ASK_AGAIN_MS, this.#failure?.at, now)) return Promise.resolve();
    this.#fetching ??= this.#replace(now).finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #replace(now: number): Promise<void> {
    const { jwksUri, store, states } = this.#options;
    try {
      const jwks = await this.#served();
      this.#held = { jwks, fetchedAt: now, find: createLocalJWKSet(jwks as never) };
      this.#failure = undefined;
      states.note(jwksUri, true);
      this.#faults.succeeded(FETCHING);
    } catch (cause) {
      const error = unavailable(jwksUri, cause);
      this.#failure = { at: now, error };
      states.note(jwksUri, false);
      this.#held ??= await this.#kept();
      const known = this.#counts(now) ? this.#held : undefined;
      const facts = { jwksUri, ...(known && { keysOf: new Date(known.fetchedAt).toISOString() }) };
      this.#faults.failed(FETCHING, error, "the keys of the token issuer cannot be fetched", facts);
      return;
    }
    const { jwks } = this.#held;
    try {
      await store.write(jwksUri, { jwks, fetchedAt: now });
      this.#faults.succeeded(KEEPING);
    } catch (error) {
      this.#faults.failed(KEEPING, error, "the keys of the token issuer cannot be kept", { jwksUri });
    }
  }

  async #kept(): Promise<HeldKeys | undefined> {
    const { jwksUri, store } = this.#options;
    try {
      const known = await store.read(jwksUri);
      return known && { ...known, find: createLocalJWKSet(known.jwks as never) };
    } catch (error) {
      this.#faults.failed(KEEPING, error, "the last known keys of the token issuer cannot be read", {
        jwksUri,
      });
      return undefined;
    }
  }

  async #served(): Promise<unknown> {
    const { jwksUri, fetch = globalThis.fetch } = this.#options;
    const end = deadline(TIMEOUT_MS);
    try {
      const headers = { accept: "application/json, application/jwk-set+json" };
      const response = await end.race(fetch(jwksUri, { headers, redirect: "manual", signal: end.signal }));
      const octets = await readAll(response.body, MAX_BYTES, "ISSUER_KEYS_UNAVAILABLE", end.signal);
      if (response.status !== 200) throw new Error(`HTTP ${response.status}`);
      return JSON.parse(fromUtf8(octets, jwksUri));
    } finally {
      end.release();
    }
  }
}

/** Returns whether less than so many milliseconds lie between the two times, whichever comes first: clocks are set back. */
function isWithin(milliseconds: number, time: number | undefined, now: number): boolean {
  return time !== undefined && Math.abs(now - time) < milliseconds;
}

function unavailable(jwksUri: string, cause: unknown): MikeySakkeError {
  const reason = cause instanceof Error ? `${cause.message}${causeOf(cause)}` : String(cause);
  return new MikeySakkeError("transport", "ISSUER_KEYS_UNAVAILABLE", `${jwksUri}: ${reason}`, { cause });
}

/** `fetch failed` alone does not say what is the matter. */
function causeOf({ cause }: Error): string {
  return cause instanceof Error && cause.message !== "" ? `: ${cause.message}` : "";
}
