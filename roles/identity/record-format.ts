/** Certificates and key sets as the records of a client: what is public in JSON, octets in base64. */
import { fromBase64, toBase64 } from "../../base/bytes.ts";
import type { KeySet, KmsCertificate } from "../../bindings/identity/kms-material.ts";
import type { StoredRecord } from "./record.ts";

export interface StoredCertificate {
  readonly certificate: KmsCertificate;
  /** KmsUri of the KMS that sent it: its own, or the Home KMS. */
  readonly from: string;
}

type CertificateFacts = Omit<KmsCertificate, "pubEncKey" | "pubAuthKey"> & {
  readonly pubEncKey: string;
  readonly pubAuthKey: string;
};

type KeySetFacts = Omit<KeySet, "uid" | "pvt" | "rsk" | "ssk"> & {
  readonly uid: string;
  readonly pvt: string;
};

export function certificateFacts({ certificate, from }: StoredCertificate): object {
  const { pubEncKey, pubAuthKey } = certificate;
  const facts: CertificateFacts = {
    ...certificate,
    pubEncKey: toBase64(pubEncKey),
    pubAuthKey: toBase64(pubAuthKey),
  };
  return { certificate: facts, from };
}

export function certificateOf(facts: { certificate: CertificateFacts; from: string }): StoredCertificate {
  const { pubEncKey, pubAuthKey } = facts.certificate;
  const keys = { pubEncKey: fromBase64(pubEncKey), pubAuthKey: fromBase64(pubAuthKey) };
  return { from: facts.from, certificate: { ...facts.certificate, ...keys } };
}

/** The RSK and SSK are kept apart, in this order. */
export function keySetFacts({ rsk: _rsk, ssk: _ssk, uid, pvt, ...facts }: KeySet): object {
  return { ...facts, uid: toBase64(uid), pvt: toBase64(pvt) } satisfies KeySetFacts;
}

export function keySetOf({ facts, secrets: [rsk, ssk] }: StoredRecord<KeySetFacts>): KeySet {
  return { ...facts, uid: fromBase64(facts.uid), pvt: fromBase64(facts.pvt), rsk: rsk!, ssk: ssk! };
}
