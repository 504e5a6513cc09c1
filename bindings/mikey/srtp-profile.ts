/**
 * The SRTP transform that a key is used with. Without SP payload the default profiles of TS 33.180 E.2.2, E.3.2 and
 * E.4.2 hold; with one, parameters that it leaves out take SRTP's own defaults, not the profile's (RFC 3830 6.10.1, RFC
 * 4771 4, RFC 7714 12 to 15).
 */
import { refusal } from "../../base/checks.ts";
import type { KeyKind } from "../identity/purpose-tag.ts";
import { SRTP_TYPES } from "./codes.ts";
import type { CryptoSession } from "./hdr.ts";
import type { SpPayload, SrtpParameter } from "./sp.ts";

/** The content of an SP or a default profile, as far as TS 33.180 allows: AEAD_AES_128_GCM, AES-CM PRF, no refresh. */
export interface SrtpProfile {
  readonly encryption: "AES-GCM";
  /** Octets. */
  readonly keyLength: 16;
  /** Octets. */
  readonly saltLength: 12;
  /** Octets of the GCM tag. */
  readonly aeadTagLength: 16;
  /** RFC 4771 mode 3 (SRTP only): every `rate`-th packet ends in a 4-octet ROC. Undefined: no ROC field. */
  readonly roc: { readonly rate: number } | undefined;
}

const T = SRTP_TYPES;

/** Table E.2-1: AES-GCM, 16-octet key, RCC mode 3 in every packet, 12-octet salt, 16-octet tag. */
export const GMK_PROFILE: readonly SrtpParameter[] = [
  octet(T.ENCRYPTION_ALGORITHM, 6),
  octet(T.ENCRYPTION_KEY_LENGTH, 16),
  octet(T.AUTHENTICATION_ALGORITHM, 4),
  octet(T.SALT_LENGTH, 12),
  octet(T.PRF, 0),
  octet(T.KEY_DERIVATION_RATE, 0),
  // RFC 4771 4 makes this one a 16-bit number.
  { type: T.ROC_RATE, value: Uint8Array.of(0, 1) },
  octet(T.SRTP_TAG_LENGTH, 4),
  octet(T.SRTCP_TAG_LENGTH, 0),
  octet(T.AEAD_TAG_LENGTH, 16),
];

/** Table E.3-1: as for the GMK without RCC. E.4.2 is taken to say the same, as RCC is not for SRTCP (RFC 4771 2). */
export const PCK_PROFILE: readonly SrtpParameter[] = [
  octet(T.ENCRYPTION_ALGORITHM, 6),
  octet(T.ENCRYPTION_KEY_LENGTH, 16),
  octet(T.SALT_LENGTH, 12),
  octet(T.PRF, 0),
  octet(T.KEY_DERIVATION_RATE, 0),
  octet(T.AEAD_TAG_LENGTH, 16),
];

/** The default profile of a kind of key. MKFC and MSCCK follow the group profile. */
export function defaultParameters(kind: KeyKind): readonly SrtpParameter[] {
  return kind === "GMK" || kind === "MKFC" || kind === "MSCCK" ? GMK_PROFILE : PCK_PROFILE;
}

const AES_GCM = 6;
const RCC_MODE_3 = 4;
/** NULL and HMAC-SHA-1: without meaning beside an AEAD (RFC 7714 14.3). */
const NO_RCC: readonly number[] = [0, 1];
const RCC_TAG_BYTES = 4;

/**
 * Reads SRTP parameters, whole or in part. Throws check 20 for anything that TS 33.180 does not use: a policy
 * that cannot be kept must not be taken up silently (RFC 3830 6.10, error 10).
 */
export function resolveProfile(parameters: readonly SrtpParameter[]): SrtpProfile {
  const values = new Map(parameters.map((p) => [p.type, numberOf(p)]));
  const get = (type: number, fallback: number) => values.get(type) ?? fallback;
  const must = (type: number, fallback: number, wanted: number, label: string) => {
    const value = get(type, fallback);
    if (value !== wanted) throw unsupported(`${label} ${value}, only ${wanted} is used`);
  };
  must(T.ENCRYPTION_ALGORITHM, 1, AES_GCM, "encryption algorithm");
  must(T.ENCRYPTION_KEY_LENGTH, 16, 16, "encryption key length");
  must(T.SALT_LENGTH, 12, 12, "salt length");
  must(T.PRF, 0, 0, "SRTP PRF");
  must(T.KEY_DERIVATION_RATE, 0, 0, "key derivation rate");
  must(T.SRTP_ENCRYPTION, 1, 1, "SRTP encryption");
  must(T.SRTCP_ENCRYPTION, 1, 1, "SRTCP encryption");
  must(T.FEC_ORDER, 0, 0, "FEC order");
  must(T.PREFIX_LENGTH, 0, 0, "prefix length");
  must(T.SRTCP_TAG_LENGTH, 0, 0, "SRTCP authentication tag length");
  must(T.AEAD_TAG_LENGTH, 16, 16, "AEAD tag length");
  for (const type of values.keys()) {
    if (type > T.AEAD_TAG_LENGTH) throw unsupported(`parameter ${type} is not known`);
  }
  return {
    encryption: "AES-GCM",
    keyLength: 16,
    saltLength: 12,
    aeadTagLength: 16,
    roc: rocOf(values, get),
  };
}

/** The special type 14 wins over the general type 2, 18 over 11 (RFC 4771 4); mode 3 needs 4 octets (5). */
function rocOf(
  values: ReadonlyMap<number, number>,
  get: (type: number, fallback: number) => number,
): SrtpProfile["roc"] {
  const algorithm = get(T.SRTP_AUTHENTICATION_ALGORITHM, get(T.AUTHENTICATION_ALGORITHM, 0));
  if (NO_RCC.includes(algorithm)) return undefined;
  if (algorithm !== RCC_MODE_3)
    throw unsupported(`authentication algorithm ${algorithm} does not go with AES-GCM`);
  const tag = values.get(T.SRTP_TAG_LENGTH) ?? values.get(T.AUTHENTICATION_TAG_LENGTH) ?? RCC_TAG_BYTES;
  if (tag !== RCC_TAG_BYTES) throw unsupported(`RCC mode 3 with a tag of ${tag} octets, must be 4`);
  const rate = get(T.ROC_RATE, 1);
  if (rate === 0) throw unsupported("ROC transmission rate 0");
  return { rate };
}

function octet(type: number, value: number): SrtpParameter {
  return { type, value: Uint8Array.of(value) };
}

/** By the length octet: type 13 has been seen with one octet and with two. */
function numberOf(p: SrtpParameter): number {
  if (p.value.length < 1 || p.value.length > 2) {
    throw refusal("BAD_SECURITY_POLICY", `SRTP parameter ${p.type}: ${p.value.length} octets`);
  }
  return p.value.reduce((sum, x) => sum * 256 + x, 0);
}

function unsupported(text: string) {
  return refusal("BAD_SECURITY_POLICY", `SRTP policy: ${text}`);
}

/**
 * Profile of a received message for one crypto session, or for the first when `csId` is not given. Undefined
 * when the message has crypto sessions but not this one.
 */
export function profileOf(
  message: { kind: KeyKind; sessions: readonly CryptoSession[]; policies: readonly SpPayload[] },
  csId?: number,
): SrtpProfile | undefined {
  if (message.sessions.length === 0) return resolveProfile(defaultParameters(message.kind));
  const session = csId === undefined ? message.sessions[0] : message.sessions.find((s) => s.csId === csId);
  if (session === undefined) return undefined;
  const policy = message.policies.find((p) => session.policies.includes(p.policyNo));
  return resolveProfile(policy?.parameters ?? defaultParameters(message.kind));
}
