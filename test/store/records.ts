/** Certificates and keys to store; their octets need not mean anything, as the store does no arithmetic. */
import type { KmsCertificate } from "../../bindings/identity/kms-material.ts";
import { Envelope } from "../../store/database/envelope.ts";
import type { Database } from "../../store/database/sql.ts";
import { KmsStore, type KmsStoreOptions } from "../../store/kms/kms-store.ts";
import type { IssuedKey, NewMaster } from "../../store/kms/records.ts";
import { certificateOf, HOME_KMS } from "../support/names.ts";
import { seededRandom } from "../support/random.ts";

export const KEK = seededRandom("store key")(32);
export { ALICE, BOB } from "../support/names.ts";

export async function openStore(db: Database, options: KmsStoreOptions = {}): Promise<KmsStore> {
  return KmsStore.open(db, await Envelope.open(db, KEK), options);
}

export function certificate(certUri: string, changes: Partial<KmsCertificate> = {}): KmsCertificate {
  const random = seededRandom(certUri);
  return {
    ...certificateOf(HOME_KMS, { zt: random(257), kpak: random(65) }),
    certUri,
    ...changes,
  };
}

export function newMaster(
  name: string,
  fromPeriod: number,
  changes: Partial<KmsCertificate> = {},
): NewMaster {
  const random = seededRandom(`secrets of ${name}`);
  return {
    certificate: certificate(name, changes),
    secrets: { z: random(128), ksak: random(32) },
    fromPeriod,
    createdAt: 1000 + fromPeriod,
  };
}

/** The same keys for the same master, user and period, as those of a KMS. */
export function issuedKey(userUri: string, periodNo: number, masterId = 1): IssuedKey {
  const random = seededRandom(`${masterId} ${periodNo} ${userUri}`);
  return {
    masterId,
    userUri,
    periodNo,
    uid: random(32),
    rsk: random(257),
    ssk: random(32),
    pvt: random(65),
    issuedAt: 5000,
  };
}

export function uris(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `sip:user${String(i).padStart(6, "0")}@home.example`);
}
