/**
 * The "3GPP MCX hashed UID" of TS 33.180 F.2.1, UserIdFormat 2: the identifier that SAKKE and ECCSI see in
 * place of a URI. URIs are hashed octet by octet as provisioned; no case folding or normalisation exists.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { utf8 } from "../../base/bytes.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import { kdfInput } from "./kdf.ts";
import type { KeyPeriodRule } from "./key-period.ts";

export const UID_BYTES = 32;

/** The KDF itself is not used here, only its input format with a dummy FC (F.2.1). */
const FC = 0x00;
const P0 = utf8("MIKEY-SAKKE-UID");

export interface UidInput extends KeyPeriodRule {
  /** P1: MC service user ID, GMS URI, MDSI ..., scheme included. */
  readonly uri: string;
  /** P2: `KmsUri` of the KMS that keys this identity. */
  readonly kmsUri: string;
  /** P5. */
  readonly keyPeriodNo: number;
}

/** UID, 32 octets: SHA-256 over the six length-tagged parameters of F.2.1. */
export function computeUid(input: UidInput): Uint8Array {
  return sha256(
    kdfInput(FC, [
      P0,
      utf8(input.uri),
      utf8(input.kmsUri),
      shortestInteger(input.period),
      shortestInteger(input.offset),
      shortestInteger(input.keyPeriodNo),
    ]),
  );
}

/** Shortest big-endian form; zero is one octet 00 (TS 33.220 B.2.1.3). */
export function shortestInteger(value: number): Uint8Array {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new MikeySakkeError("usage", "BAD_INTEGER", `${value}: not a natural number`);
  }
  const octets: number[] = [];
  for (let rest = value; rest > 0 || octets.length === 0; rest = Math.floor(rest / 256))
    octets.unshift(rest % 256);
  return Uint8Array.from(octets);
}
