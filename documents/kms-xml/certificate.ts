/** KmsCertificate (TS 33.180 D.3.2): the public keys of a KMS and how identities are hashed under it. */
import { toHex } from "../../base/bytes.ts";
import { defined } from "../../base/defined.ts";
import type { KmsCertificate } from "../../bindings/identity/kms-material.ts";
import { parseBoolean } from "../xml/values.ts";
import type { XmlElement } from "../xml/xml-reader.ts";
import { element, leaf, type XmlAttributes, type XmlNode } from "../xml/xml-writer.ts";
import { timeLeaf } from "./date-time.ts";
import {
  attribute,
  booleanOf,
  childrenOf,
  countOf,
  dateTimeOf,
  malformed,
  optional,
  pointOf,
  required,
  requiredChild,
  requireElementContent,
  stringOf,
} from "./fields.ts";

const VERSION = "1.1.0";
/** Z_T of SAKKE parameter set 1, 04 || x || y. */
const PUB_ENC_KEY_BYTES = 257;
/** KPAK, 04 || x || y. */
const PUB_AUTH_KEY_BYTES = 65;

/**
 * Reads a KmsCertificate element, or the one inside a SignedKmsCertificate. The signature is not checked:
 * whoever needs it must do so on the document.
 *
 * @throws {MikeySakkeError} codec `KMS_XML_MISSING`, `KMS_XML_DUPLICATE` or `KMS_XML_VALUE`
 */
export function readCertificateElement(node: XmlElement): KmsCertificate {
  const source = node.local === "SignedKmsCertificate" ? requiredChild(node, "KmsCertificate") : node;
  requireElementContent(source);
  const userKeyPeriod = required(source, "UserKeyPeriod", countOf);
  const userKeyOffset = required(source, "UserKeyOffset", countOf);
  if (userKeyPeriod === 0) throw malformed(requiredChild(source, "UserKeyPeriod"), "must be greater than 0");
  if (userKeyOffset >= userKeyPeriod) {
    throw malformed(requiredChild(source, "UserKeyOffset"), "must be less than UserKeyPeriod (F.2.1)");
  }
  return {
    kmsUri: required(source, "KmsUri", stringOf),
    userIdFormat: required(source, "UserIdFormat", stringOf),
    userKeyPeriod,
    userKeyOffset,
    pubEncKey: required(source, "PubEncKey", (key) => pointOf(key, PUB_ENC_KEY_BYTES)),
    pubAuthKey: required(source, "PubAuthKey", (key) => pointOf(key, PUB_AUTH_KEY_BYTES)),
    ...defined({
      role: roleOf(source),
      isSecurityGateway: gatewayOf(source),
      id: attribute(source, "Id"),
      certUri: optional(source, "CertUri", stringOf),
      issuer: optional(source, "Issuer", stringOf),
      validFrom: optional(source, "ValidFrom", dateTimeOf),
      validTo: optional(source, "ValidTo", dateTimeOf),
      revoked: optional(source, "Revoked", booleanOf),
      parameterSet: optional(source, "ParameterSet", countOf),
      kmsDomains: optional(source, "KmsDomainList", (list) => childrenOf(list, "KmsDomain").map(stringOf)),
    }),
  };
}

function roleOf(source: XmlElement): "Root" | "External" | undefined {
  const role = attribute(source, "Role");
  if (role === undefined || role === "Root" || role === "External") return role;
  throw malformed(source, "Role must be Root or External");
}

function gatewayOf(source: XmlElement): boolean | undefined {
  const text = attribute(source, "IsSecurityGateway");
  const value = text === undefined ? undefined : parseBoolean(text.trim());
  if (text !== undefined && value === undefined) {
    throw malformed(source, "IsSecurityGateway must be true or false");
  }
  return value;
}

/** The element in schema order; `xmlns` holds the namespaces when it is the root. */
export function certificateNode(certificate: KmsCertificate, xmlns: XmlAttributes = {}): XmlNode {
  const { kmsDomains } = certificate;
  return element(
    "KmsCertificate",
    {
      ...xmlns,
      Id: certificate.id,
      Version: VERSION,
      Role: certificate.role,
      IsSecurityGateway: certificate.isSecurityGateway?.toString(),
    },
    [
      leaf("CertUri", certificate.certUri),
      leaf("KmsUri", certificate.kmsUri),
      leaf("Issuer", certificate.issuer),
      timeLeaf("ValidFrom", certificate.validFrom),
      timeLeaf("ValidTo", certificate.validTo),
      leaf("Revoked", certificate.revoked),
      leaf("UserIdFormat", certificate.userIdFormat),
      leaf("UserKeyPeriod", certificate.userKeyPeriod),
      leaf("UserKeyOffset", certificate.userKeyOffset),
      leaf("PubEncKey", toHex(certificate.pubEncKey)),
      leaf("PubAuthKey", toHex(certificate.pubAuthKey)),
      leaf("ParameterSet", certificate.parameterSet),
      kmsDomains &&
        element(
          "KmsDomainList",
          {},
          kmsDomains.map((uri) => leaf("KmsDomain", uri)),
        ),
    ],
  );
}
