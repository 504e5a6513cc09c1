/** KMS certificates and key sets (TS 33.180 D.3): what is taken, and what each check on load refuses. */

import { toHex } from "../../base/bytes.ts";
import { CHECKS, type CheckCode } from "../../base/checks.ts";
import { writeKmsCertificate, writeKmsKeySet } from "../../documents/kms-xml/index.ts";
import type { DocumentTest, Group } from "./form.ts";
import { ALICE, AWAY_KMS, BOB, DAY_MS, NOW, type VectorWorld } from "./world.ts";

export function documentGroups({ home, away }: VectorWorld): Group<DocumentTest>[] {
  const { certificate } = home;
  const keys = home.keySet(ALICE);
  const bob = home.keySet(BOB);
  const xml = writeKmsCertificate(certificate);
  const own = writeKmsKeySet(keys);
  const invalid = (comment: string, document: string, code: string): DocumentTest => {
    const check = code in CHECKS ? { check: CHECKS[code as CheckCode][0] } : {};
    return { comment, document, result: "invalid", ...check, code };
  };
  const lastChanged = (octets: Uint8Array) => {
    const copy = octets.slice();
    copy[copy.length - 1]! ^= 1;
    return copy;
  };
  const declared = (document: string) => document.replace("?>", '?>\n<!DOCTYPE a [<!ENTITY b "c">]>');
  return [
    {
      type: "KmsCertificate",
      tests: [
        {
          comment: "with what it must have",
          document: xml,
          result: "valid",
          expected: { kmsUri: certificate.kmsUri, period: certificate.userKeyPeriod },
        },
        {
          comment: "with all that it may have",
          document: writeKmsCertificate({
            ...certificate,
            role: "Root",
            certUri: "cert1.kms.home.example",
            issuer: "home",
            validFrom: NOW - DAY_MS,
            validTo: NOW + DAY_MS,
            revoked: false,
            parameterSet: 1,
            kmsDomains: ["home.example"],
          }),
          result: "valid",
          expected: { kmsUri: certificate.kmsUri, period: certificate.userKeyPeriod },
        },
        invalid("UserIdFormat 1", xml.replace(/(<UserIdFormat>)2/, "$11"), "BAD_KMS_CERTIFICATE"),
        invalid(
          "ParameterSet 2",
          writeKmsCertificate({ ...certificate, parameterSet: 2 }),
          "BAD_KMS_CERTIFICATE",
        ),
        invalid(
          "Z_T off the curve",
          writeKmsCertificate({ ...certificate, pubEncKey: lastChanged(certificate.pubEncKey) }),
          "BAD_PUBLIC_ENCRYPTION_KEY",
        ),
        invalid(
          "KPAK off the curve",
          writeKmsCertificate({ ...certificate, pubAuthKey: lastChanged(certificate.pubAuthKey) }),
          "BAD_PUBLIC_AUTHENTICATION_KEY",
        ),
        invalid("without KmsUri", xml.replace(/<KmsUri>[^<]*<\/KmsUri>/, ""), "KMS_XML_MISSING"),
        invalid("two KmsUris", xml.replace(/(<KmsUri>[^<]*<\/KmsUri>)/, "$1$1"), "KMS_XML_DUPLICATE"),
        invalid(
          "PubAuthKey that is not hexadecimal",
          xml.replace(/(<PubAuthKey>)../, "$1xx"),
          "KMS_XML_VALUE",
        ),
        invalid("a document type declaration", declared(xml), "XML_DTD"),
        invalid("that breaks off", xml.slice(0, -20), "XML_NOT_WELL_FORMED"),
      ],
    },
    {
      type: "KmsKeySet",
      certificates: [xml, writeKmsCertificate(away.certificate)],
      tests: [
        {
          comment: "UserID in base64",
          document: own,
          result: "valid",
          expected: { userUri: ALICE, keyPeriodNo: keys.keyPeriodNo, uid: toHex(keys.uid) },
        },
        {
          comment: "UserID in hexadecimal",
          document: own.replace(/<UserID>[^<]*/, `<UserID>${toHex(keys.uid)}`),
          result: "valid",
          expected: { userUri: ALICE, keyPeriodNo: keys.keyPeriodNo, uid: toHex(keys.uid) },
        },
        invalid(
          "of a KMS that has no certificate here",
          writeKmsKeySet({ ...keys, kmsUri: "kms.unknown.example" }),
          "KEY_SET_OF_OTHER_KMS",
        ),
        invalid("revoked", writeKmsKeySet({ ...keys, revoked: true }), "KEY_SET_REVOKED"),
        invalid(
          "the UserID of another user",
          writeKmsKeySet({ ...keys, uid: bob.uid }),
          "KEY_SET_UID_MISMATCH",
        ),
        invalid(
          "the UserID of another KMS",
          writeKmsKeySet({ ...keys, kmsUri: AWAY_KMS }),
          "KEY_SET_UID_MISMATCH",
        ),
        invalid("the RSK of another user", writeKmsKeySet({ ...keys, rsk: bob.rsk }), "RSK_INVALID"),
        invalid("the SSK of another user", writeKmsKeySet({ ...keys, ssk: bob.ssk }), "SSK_INVALID"),
        invalid("the PVT of another user", writeKmsKeySet({ ...keys, pvt: bob.pvt }), "SSK_INVALID"),
        invalid(
          "without its RSK",
          own.replace(/<UserDecryptKey[^>]*>[^<]*<\/UserDecryptKey>/, ""),
          "KMS_XML_MISSING",
        ),
      ],
    },
  ];
}
