/**
 * Key derivation: the KDF of TS 33.220 annex B with the inputs of TS 33.180 annex F, and the MIKEY PRF
 * (RFC 3830 4.1.2 with HMAC-SHA-256, RFC 6043 6.1) that yields the SRTP master keys of TS 33.180 7.4.
 */
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concat, utf8, wipe } from "../../base/bytes.ts";
import {
  MikeySakkeError,
  requireBytes,
  requireCount,
  requireOptions,
  requireString,
} from "../../base/errors.ts";
import { type KeyId, keyIdToBytes } from "./purpose-tag.ts";

/** FC values of TS 33.180 F.1. */
export const FC = { USER_SALT: 0x50, XML_CONFIDENTIALITY: 0x51, XML_INTEGRITY: 0x52, DPCK: 0x53 } as const;

/** S = FC || P0 || L0 || P1 || L1 ... (TS 33.220 B.2); each length has two octets and follows its parameter. */
export function kdfInput(fc: number, parameters: readonly Uint8Array[]): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.of(fc)];
  for (const p of parameters) {
    requireBytes(p, "KDF parameter");
    if (p.length > 0xffff) {
      throw new MikeySakkeError(
        "usage",
        "PARAMETER_TOO_LONG",
        `KDF parameter: ${p.length} octets, at most 65535`,
      );
    }
    parts.push(p, Uint8Array.of(p.length >> 8, p.length));
  }
  return concat(...parts);
}

/** HMAC-SHA-256(key, S), 32 octets (F.1.1). */
export function kdf(key: Uint8Array, fc: number, ...parameters: Uint8Array[]): Uint8Array {
  requireBytes(key, "key");
  return hmac(sha256, key, kdfInput(fc, parameters));
}

/** The last 16 octets for a 128-bit key, all 32 for a 256-bit one (F.1.4, F.1.5). */
function asLongAs(key: Uint8Array, output: Uint8Array): Uint8Array {
  if (key.length === 32) return output;
  const taken = output.slice(16);
  wipe(output);
  return taken;
}

/** MCData payload cipher key of F.1.5, for the key DPPK known under `dppkId`. */
export function deriveDpck(dppk: Uint8Array, dppkId: KeyId): Uint8Array {
  requireBytes(dppk, "DPPK", 16, 32);
  return asLongAs(dppk, kdf(dppk, FC.DPCK, keyIdToBytes(dppkId)));
}

/** XML confidentiality key of F.1.4 for an XPK (CSK or SPK) and an MC service user ID. */
export function deriveXmlConfidentialityKey(xpk: Uint8Array, userUri: string, xpkId: KeyId): Uint8Array {
  requireXmlOperands(xpk, userUri);
  return asLongAs(xpk, kdf(xpk, FC.XML_CONFIDENTIALITY, utf8(userUri), keyIdToBytes(xpkId)));
}

/** XML integrity key of F.1.4 for an XPK (CSK or SPK) and an MC service user ID. */
export function deriveXmlIntegrityKey(xpk: Uint8Array, userUri: string, xpkId: KeyId): Uint8Array {
  requireXmlOperands(xpk, userUri);
  return asLongAs(xpk, kdf(xpk, FC.XML_INTEGRITY, utf8(userUri), keyIdToBytes(xpkId)));
}

function requireXmlOperands(xpk: Uint8Array, userUri: string): void {
  requireBytes(xpk, "XPK", 16, 32);
  requireString(userUri, "user URI");
}

const PRF_BLOCK_BYTES = 32;

/** PRF-HMAC-SHA-256: `length` octets from an input key and a label (RFC 3830 4.1.2, RFC 6043 6.1). */
export function mikeyPrf(inkey: Uint8Array, label: Uint8Array, length: number): Uint8Array {
  requireBytes(inkey, "input key");
  requireBytes(label, "label");
  requireCount(length, "length");
  const out = new Uint8Array(length);
  for (let at = 0; at < inkey.length; at += PRF_BLOCK_BYTES) {
    const s = inkey.subarray(at, at + PRF_BLOCK_BYTES);
    let a = label;
    for (let done = 0; done < length; done += sha256.outputLen) {
      a = hmac(sha256, s, a);
      const block = hmac(sha256, s, concat(a, label));
      for (let i = 0; i < block.length && done + i < length; i++) out[done + i]! ^= block[i]!;
      wipe(block);
    }
  }
  return out;
}

export const SRTP_MASTER_KEY_BYTES = 16;
export const SRTP_MASTER_SALT_BYTES = 12;

/** Constants of RFC 3830 4.1.3; the TEK is the SRTP master key. */
const TEK_LABEL = Uint8Array.of(0x2a, 0xd0, 0x1c, 0x64);
const SALT_LABEL = Uint8Array.of(0x39, 0xa2, 0xc1, 0x4b);

export interface SrtpKeyInput {
  /** The delivered key K: GMK, PCK, CSK, MuSiK. */
  readonly tgk: Uint8Array;
  /** Table E.1.3-1. */
  readonly csId: number;
  /** Group media: the GUK-ID of the sender of the media; else the K-ID (7.4). */
  readonly csbId: KeyId;
  /** RAND of the I_MESSAGE that delivered K. */
  readonly rand: Uint8Array;
}

/** SRTP master key (16 octets) and master salt (12 octets), TS 33.180 7.4.1 and 7.4.2. */
export function deriveSrtpMaster(input: SrtpKeyInput): { key: Uint8Array; salt: Uint8Array } {
  requireOptions(input, "input");
  requireBytes(input.tgk, "TGK");
  requireCount(input.csId, "CS-ID");
  requireBytes(input.rand, "RAND");
  const tail = concat(Uint8Array.of(input.csId), keyIdToBytes(input.csbId), input.rand);
  return {
    key: mikeyPrf(input.tgk, concat(TEK_LABEL, tail), SRTP_MASTER_KEY_BYTES),
    salt: mikeyPrf(input.tgk, concat(SALT_LABEL, tail), SRTP_MASTER_SALT_BYTES),
  };
}
