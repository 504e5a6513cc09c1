/** The published interoperability vector as KMS documents. */
import { readFileSync } from "node:fs";
import { fromHex } from "../../../base/bytes.ts";
import type { KeySet, KmsCertificate, KmsResponse } from "../../../documents/kms-xml/index.ts";

const vector = JSON.parse(
  readFileSync(new URL("../../vectors/production-gmk.json", import.meta.url), "utf8"),
) as Record<"kms_certificate" | "gms_key_set" | "alice_key_set" | "message", Record<string, string>>;

const KMS_ROOT = "https://kms.mydev.streamwide.com/keymanagement/identity/v1";
/** The T payload of the vector's message. */
const TIME = Date.parse("2025-10-02T23:47:52Z");

export function productionCertificate(): KmsCertificate {
  const source = vector.kms_certificate;
  return {
    role: "Root",
    kmsUri: source.KmsUri!,
    userIdFormat: source.UserIdFormat!,
    userKeyPeriod: Number(source.UserKeyPeriod),
    userKeyOffset: Number(source.UserKeyOffset),
    pubEncKey: fromHex(source.PubEncKey!),
    pubAuthKey: fromHex(source.PubAuthKey!),
  };
}

export function productionKeySet(who: "gms" | "alice"): KeySet {
  const source = vector[`${who}_key_set`];
  return {
    kmsUri: vector.kms_certificate.KmsUri!,
    userUri: source.UserUri!,
    uid: fromHex(source.UserID!),
    keyPeriodNo: Number(source.KeyPeriodNo),
    rsk: fromHex(source.UserDecryptKey!),
    ssk: fromHex(source.UserSigningKeySSK!),
    pvt: fromHex(source.UserPubTokenPVT!),
  };
}

export function initResponse(): KmsResponse {
  const certificate = productionCertificate();
  return {
    userUri: "sip:alice@streamwide.com",
    kmsUri: certificate.kmsUri,
    time: TIME,
    clientReqUrl: `${KMS_ROOT}/init`,
    message: { type: "init", certificate },
  };
}

export function keyProvResponse(who: "gms" | "alice"): KmsResponse {
  const keySet = productionKeySet(who);
  return {
    userUri: keySet.userUri,
    kmsUri: keySet.kmsUri,
    time: TIME,
    clientReqUrl: `${KMS_ROOT}/keyprov`,
    message: { type: "keyprov", keySets: [keySet] },
  };
}

/** Returns the message in base64. */
export function productionMessage(): string {
  return vector.message.i_message_base64!;
}
