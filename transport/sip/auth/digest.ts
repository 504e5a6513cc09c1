/** The digest of RFC 7616 as SIP uses it (RFC 3261 22.4, RFC 8760): both ends compute it here. */
import { md5 } from "@noble/hashes/legacy.js";
import { sha256, sha512_256 } from "@noble/hashes/sha2.js";
import { toHex, utf8 } from "../../../base/bytes.ts";

export type DigestAlgorithm = "MD5" | "SHA-256" | "SHA-512-256";

const HASHES = { MD5: md5, "SHA-256": sha256, "SHA-512-256": sha512_256 } as const;

/** The algorithm of that name, which is in any case; undefined when it is none of ours. */
export function digestAlgorithm(name: string): DigestAlgorithm | undefined {
  const upper = name.toUpperCase();
  return Object.hasOwn(HASHES, upper) ? (upper as DigestAlgorithm) : undefined;
}

export function digestHash(algorithm: DigestAlgorithm, data: string | Uint8Array): string {
  return toHex(HASHES[algorithm](typeof data === "string" ? utf8(data) : data));
}

/** H(A1): all that a server needs to keep of a password. */
export function digestSecret(
  algorithm: DigestAlgorithm,
  user: string,
  realm: string,
  password: string,
): string {
  return digestHash(algorithm, `${user}:${realm}:${password}`);
}

export interface DigestProtection {
  readonly qop: "auth" | "auth-int";
  /** nc, eight hex digits. */
  readonly count: string;
  readonly clientNonce: string;
}

export interface DigestInput {
  readonly algorithm: DigestAlgorithm;
  /** H(A1). */
  readonly secret: string;
  readonly method: string;
  readonly uri: string;
  readonly nonce: string;
  /** Absent for a server of RFC 2069, which has no qop. */
  readonly protection?: DigestProtection | undefined;
  readonly body: Uint8Array;
}

export function digestResponse(input: DigestInput): string {
  const { algorithm, secret, method, uri, nonce, protection } = input;
  const integrity = protection?.qop === "auth-int" ? `:${digestHash(algorithm, input.body)}` : "";
  const request = digestHash(algorithm, `${method}:${uri}${integrity}`);
  if (protection === undefined) return digestHash(algorithm, `${secret}:${nonce}:${request}`);
  const { count, clientNonce, qop } = protection;
  return digestHash(algorithm, `${secret}:${nonce}:${count}:${clientNonce}:${qop}:${request}`);
}
