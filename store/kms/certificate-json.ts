/** KMS certificates in `jsonb`, with octets in base64. */
import { fromBase64, toBase64 } from "../../base/bytes.ts";
import type { KmsCertificate } from "../../bindings/identity/kms-material.ts";

export type CertificateJson = Omit<KmsCertificate, "pubEncKey" | "pubAuthKey"> & {
  readonly pubEncKey: string;
  readonly pubAuthKey: string;
};

export function certificateToJson(certificate: KmsCertificate): string {
  const { pubEncKey, pubAuthKey } = certificate;
  const json: CertificateJson = {
    ...certificate,
    pubEncKey: toBase64(pubEncKey),
    pubAuthKey: toBase64(pubAuthKey),
  };
  return JSON.stringify(json);
}

export function certificateFromJson(json: CertificateJson): KmsCertificate {
  return { ...json, pubEncKey: fromBase64(json.pubEncKey), pubAuthKey: fromBase64(json.pubAuthKey) };
}
