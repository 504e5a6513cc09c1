/** Octet string helpers. Nothing here depends on the value of a secret, only on lengths. */
import { MikeySakkeError } from "./errors.ts";

const HEX = /^(?:[0-9a-fA-F]{2})*$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;

const ZERO = 48;
/** From the character after "9" to "a". */
const LETTERS = 39;

/** The digit of a number up to 15, without a look into a table or a branch. */
const digit = (n: number) => ZERO + n + (((9 - n) >> 8) & LETTERS);

/** The value of a digit. Letters of both cases lie at 1 to 6 above a multiple of 16, and have bit 6 set. */
const digitValue = (code: number) => (code & 15) + 9 * (code >> 6);

export function toHex(bytes: Uint8Array): string {
  const digits = new Uint8Array(2 * bytes.length);
  for (let i = 0; i < bytes.length; i++) {
    const b = bytes[i]!;
    digits[2 * i] = digit(b >> 4);
    digits[2 * i + 1] = digit(b & 15);
  }
  return decoder.decode(digits);
}

export function fromHex(text: string, label = "hex"): Uint8Array {
  if (!HEX.test(text))
    throw new MikeySakkeError("usage", "BAD_HEX", `${label}: not an even number of hex digits`);
  const out = new Uint8Array(text.length / 2);
  for (let i = 0; i < out.length; i++) {
    out[i] = (digitValue(text.charCodeAt(2 * i)) << 4) | digitValue(text.charCodeAt(2 * i + 1));
  }
  return out;
}

export function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (const b of bytes) binary += String.fromCharCode(b);
  return btoa(binary);
}

export function fromBase64(text: string, label = "base64"): Uint8Array {
  if (!BASE64.test(text)) throw new MikeySakkeError("usage", "BAD_BASE64", `${label}: not base64`);
  const binary = atob(text);
  const out = new Uint8Array(binary.length);
  for (let i = 0; i < out.length; i++) out[i] = binary.charCodeAt(i);
  return out;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Throws a codec error when the octets are not UTF-8. */
export function fromUtf8(bytes: Uint8Array, label = "text"): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new MikeySakkeError("codec", "BAD_UTF8", `${label}: not UTF-8`, { cause });
  }
}

export function concat(...parts: Uint8Array[]): Uint8Array {
  return concatAll(parts);
}

/** As `concat`, for any number of parts: a list of arguments has room for no more than about a hundred thousand. */
export function concatAll(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const p of parts) length += p.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

/** Compares without stopping at the first difference; only the lengths are told apart early. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let diff = 0;
  for (let i = 0; i < a.length; i++) diff |= a[i]! ^ b[i]!;
  return diff === 0;
}

export function wipe(...secrets: Uint8Array[]): void {
  for (const s of secrets) s.fill(0);
}
