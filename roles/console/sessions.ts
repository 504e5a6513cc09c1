/** The operators who are signed in: codes that open one session each, the sessions, and how often one may guess. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { RandomSource } from "../../base/random.ts";

export interface Session {
  readonly name: string;
  readonly csrf: string;
  readonly endsAt: number;
  /** Aborted when it is over. */
  readonly over: AbortSignal;
}

interface Held extends Session {
  readonly abort: () => void;
  usedAt: number;
}

export interface SessionsOptions {
  /** Opens any number of sessions. */
  readonly token: string;
  readonly idleMs: number;
  readonly lifetimeMs: number;
  readonly now: () => number;
  readonly random: RandomSource;
}

const SECRET_BYTES = 32;
/** A code is to be used at once; there is always another. */
const CODE_MS = 15 * 60_000;
const MOST_CODES = 32;
const MOST_SESSIONS = 64;
/** Wrong attempts of one address a minute. No secret is short enough to be guessed: this keeps the log and the processor free. */
const MOST_FAILURES = 10;
/** Failures of all addresses together. */
const MOST_FAILURES_ALL = 200;
const MINUTE = 60_000;

export class Sessions {
  readonly #options: SessionsOptions;
  readonly #token: Buffer;
  /** Ends of codes, by digest. */
  readonly #codes = new Map<string, number>();
  /** By digest of the cookie, so that the memory holds no cookie. */
  readonly #sessions = new Map<string, Held>();
  readonly #failures = new Map<string, number>();
  #failed = 0;
  #minute = 0;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#token = digestOf(options.token);
  }

  /** Opens one session, within a quarter of an hour. */
  newCode(): string {
    const { now } = this.#options;
    for (const [code, end] of this.#codes) if (end <= now()) this.#codes.delete(code);
    if (this.#codes.size >= MOST_CODES) this.#codes.delete(this.#codes.keys().next().value!);
    const code = this.#secret();
    this.#codes.set(nameOf(code), now() + CODE_MS);
    return code;
  }

  /** Returns whether the address has failed too often for another attempt. */
  isBarred(address: string): boolean {
    this.#turn();
    return this.#failed >= MOST_FAILURES_ALL || (this.#failures.get(address) ?? 0) >= MOST_FAILURES;
  }

  /** Undefined, and counted, where `secret` is neither a code nor the token. */
  open(secret: string, name: string, address: string): { cookie: string; session: Session } | undefined {
    const { now, lifetimeMs } = this.#options;
    if (!this.isToken(secret) && !this.#take(secret)) {
      this.#turn();
      this.#failed++;
      this.#failures.set(address, (this.#failures.get(address) ?? 0) + 1);
      return undefined;
    }
    this.sweep();
    if (this.#sessions.size >= MOST_SESSIONS) this.#end(this.#sessions.keys().next().value!);
    const cookie = this.#secret();
    const over = new AbortController();
    const session = {
      name,
      csrf: this.#secret(),
      endsAt: now() + lifetimeMs,
      over: over.signal,
      abort: () => over.abort(),
      usedAt: now(),
    };
    this.#sessions.set(nameOf(cookie), session);
    return { cookie, session };
  }

  /** Undefined for a cookie of none. Counts as use. */
  of(cookie: string | undefined): Session | undefined {
    if (cookie === undefined) return undefined;
    this.sweep();
    const session = this.#sessions.get(nameOf(cookie));
    if (session !== undefined) session.usedAt = this.#options.now();
    return session;
  }

  close(cookie: string): void {
    this.#end(nameOf(cookie));
  }

  closeAll(): void {
    for (const name of [...this.#sessions.keys()]) this.#end(name);
    this.#codes.clear();
  }

  /** Ends what is over. */
  sweep(): void {
    const now = this.#options.now();
    for (const [name, { endsAt, usedAt }] of this.#sessions) {
      if (now >= endsAt || now >= usedAt + this.#options.idleMs) this.#end(name);
    }
  }

  isToken(secret: string): boolean {
    return timingSafeEqual(digestOf(secret), this.#token);
  }

  #take(code: string): boolean {
    const name = nameOf(code);
    const end = this.#codes.get(name);
    this.#codes.delete(name);
    return end !== undefined && this.#options.now() < end;
  }

  #end(name: string): void {
    this.#sessions.get(name)?.abort();
    this.#sessions.delete(name);
  }

  #turn(): void {
    const minute = Math.floor(this.#options.now() / MINUTE);
    if (minute === this.#minute) return;
    this.#minute = minute;
    this.#failed = 0;
    this.#failures.clear();
  }

  #secret(): string {
    return Buffer.from(this.#options.random(SECRET_BYTES)).toString("base64url");
  }
}

/** Equal lengths, whatever is compared. */
export function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** Sessions are looked up by a digest: the time of the look-up tells nothing of the secret. */
function nameOf(secret: string): string {
  return digestOf(secret).toString("base64");
}
