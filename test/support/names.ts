/** Times, identities, groups and certificates that tests share. Nothing is loaded with them. */
import type { KmsCertificate } from "../../bindings/identity/kms-material.ts";

/** Mid-period for the default rule of 30 days without offset. */
export const NOW = Date.parse("2026-03-10T12:00:00Z");
export const DAY_MS = 24 * 3600 * 1000;

export const HOME_KMS = "kms.home.example";
export const AWAY_KMS = "kms.away.example";
export const GMS = "sip:gms@home.example";
export const MCX = "sip:mcx@home.example";
export const ALICE = "sip:alice@home.example";
export const BOB = "sip:bob@home.example";
export const CAROL = "sip:carol@home.example";
/** A user of the away KMS. */
export const ERIN = "sip:erin@away.example";
export const GROUP = "sip:fire-1@home.example";
export const OTHER_GROUP = "sip:fire-2@home.example";

/** Returns the certificate of a KMS with the default rule, which has these public keys. */
export function certificateOf(
  kmsUri: string,
  { zt, kpak }: { readonly zt: Uint8Array; readonly kpak: Uint8Array },
): KmsCertificate {
  return {
    ...{ kmsUri, userIdFormat: "2", userKeyPeriod: 2592000, userKeyOffset: 0 },
    ...{ pubEncKey: zt, pubAuthKey: kpak },
  };
}

/** Key under which the databases of tests keep their secrets. */
export const STORE_KEY = new Uint8Array(32).fill(0x5a);
