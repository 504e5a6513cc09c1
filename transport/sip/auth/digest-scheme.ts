/** The digest scheme of a server (RFC 3261 22.4, RFC 7616 3, RFC 8760). Nonces carry their own proof. */
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { equal, toHex, utf8 } from "../../../base/bytes.ts";
import type { Clock } from "../../../base/clock.ts";
import type { RandomSource } from "../../../base/random.ts";
import { type AuthValue, authParam, isScheme } from "../codec/authorisation.ts";
import type { SipRequest } from "../codec/message.ts";
import { quote } from "../codec/scanner.ts";
import { type DigestAlgorithm, type DigestProtection, digestAlgorithm, digestResponse } from "./digest.ts";
import type { AuthScheme, SchemeResult } from "./server.ts";

export interface DigestOptions {
  readonly realm: string;
  /** H(A1) of the user, as digestSecret makes it; undefined for a user that is not known. */
  readonly secret: (
    user: string,
    algorithm: DigestAlgorithm,
  ) => string | undefined | Promise<string | undefined>;
  readonly clock: Clock;
  readonly random: RandomSource;
  /** Offered in this order. Default SHA-256, then MD5 for clients of RFC 3261. */
  readonly algorithms?: readonly DigestAlgorithm[];
  /** Milliseconds. Default five minutes. */
  readonly nonceLifetime?: number;
}

const WRONG: SchemeResult = { ok: false, error: "" };
const STALE: SchemeResult = { ok: false, error: "stale" };

export function digestScheme(options: DigestOptions): AuthScheme {
  const { realm, clock, random, algorithms = ["SHA-256", "MD5"], nonceLifetime = 300_000 } = options;
  const nonces = new Nonces(clock, random, nonceLifetime);

  async function check(credentials: AuthValue, request: SipRequest): Promise<SchemeResult | undefined> {
    if (!isScheme(credentials, "Digest") || authParam(credentials, "realm") !== realm) return undefined;
    const get = (name: string) => authParam(credentials, name);
    const algorithm = digestAlgorithm(get("algorithm") ?? "MD5");
    const [user, nonce, response] = [get("username"), get("nonce"), get("response")];
    const [count, clientNonce, qop, uri] = [get("nc"), get("cnonce"), get("qop"), get("uri")];
    if (algorithm === undefined || !algorithms.includes(algorithm)) return WRONG;
    if (user === undefined || nonce === undefined || response === undefined) return WRONG;
    // Our challenges have a qop, so an answer without one is of no challenge of ours.
    if (count === undefined || clientNonce === undefined || (qop !== "auth" && qop !== "auth-int"))
      return WRONG;
    // 22.4: the URI is that of the request, or credentials could be moved to another one.
    if (uri !== request.uri || !/^[0-9a-fA-F]{8}$/.test(count)) return WRONG;
    if (!nonces.genuine(nonce)) return STALE;
    const secret = await options.secret(user, algorithm);
    if (secret === undefined) return WRONG;
    const { method, body } = request;
    const protection: DigestProtection = { qop, count, clientNonce };
    const expected = digestResponse({ algorithm, secret, method, uri, nonce, protection, body });
    if (!equal(utf8(expected), utf8(response.toLowerCase()))) return WRONG;
    return nonces.use(nonce, Number.parseInt(count, 16)) ? { ok: true, identity: user } : STALE;
  }

  function challenges(refused: SchemeResult | undefined): AuthValue[] {
    const stale = refused?.ok === false && refused.error === "stale";
    return algorithms.map((algorithm) => ({
      scheme: "Digest",
      params: new Map([
        ["realm", quote(realm)],
        ["nonce", quote(nonces.create())],
        ["algorithm", algorithm],
        ["qop", '"auth,auth-int"'],
        ...(stale ? ([["stale", "true"]] as const) : []),
      ]),
    }));
  }

  return { check, challenges };
}

/** A nonce is time, chance and a MAC over both, so that only those in use need to be remembered. */
class Nonces {
  readonly #clock: Clock;
  readonly #random: RandomSource;
  readonly #lifetime: number;
  readonly #key: Uint8Array;
  /** The highest count seen with a nonce, in order of first use. */
  readonly #counts = new Map<string, number>();

  constructor(clock: Clock, random: RandomSource, lifetime: number) {
    this.#clock = clock;
    this.#random = random;
    this.#lifetime = lifetime;
    this.#key = random(32);
  }

  create(): string {
    const text = Math.floor(this.#clock.now()).toString(16).padStart(12, "0") + toHex(this.#random(8));
    return text + this.#mac(text);
  }

  #mac(text: string): string {
    return toHex(hmac(sha256, this.#key, utf8(text)).subarray(0, 16));
  }

  #age(nonce: string): number {
    return this.#clock.now() - Number.parseInt(nonce.slice(0, 12), 16);
  }

  genuine(nonce: string): boolean {
    const text = nonce.slice(0, 28);
    if (nonce.length !== 60 || !equal(utf8(nonce.slice(28)), utf8(this.#mac(text)))) return false;
    return this.#age(nonce) <= this.#lifetime;
  }

  /** False when that count, or a higher one, was seen with the nonce. Only right answers come here. */
  use(nonce: string, count: number): boolean {
    for (const old of this.#counts.keys()) {
      if (this.#age(old) <= this.#lifetime) break;
      this.#counts.delete(old);
    }
    if (count <= (this.#counts.get(nonce) ?? 0)) return false;
    this.#counts.set(nonce, count);
    return true;
  }
}
