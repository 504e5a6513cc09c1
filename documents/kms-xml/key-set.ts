/** KmsKeySet (TS 33.180 D.3.3): the keys of one identity for one key period. */
import { fromBase64, fromHex, toBase64 } from "../../base/bytes.ts";
import { defined } from "../../base/defined.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import type { KeySet, KmsCertificate } from "../../bindings/identity/kms-material.ts";
import { computeUid } from "../../bindings/identity/uid.ts";
import type { XmlElement } from "../xml/xml-reader.ts";
import { element, leaf, type XmlAttributes, type XmlNode } from "../xml/xml-writer.ts";
import { timeLeaf } from "./date-time.ts";
import {
  attribute,
  booleanOf,
  countOf,
  dateTimeOf,
  malformed,
  optional,
  required,
  requireElementContent,
  stringOf,
} from "./fields.ts";
import { clearKeyNode, type KeyWriter, pointKeyOf, scalarKeyOf, type UnwrappedKeys } from "./key-content.ts";

const VERSION = "1.1.0";
const RSK_BYTES = 257;
const SSK_BYTES = 32;
const PVT_BYTES = 65;

/** A key set as a document carries it: some have a UserID that is not the UID, so that `uid` is open. */
export interface KmsKeySet extends Omit<KeySet, "uid"> {
  readonly id?: string;
  readonly uid?: Uint8Array;
}

/** The key set with its UID, computed under the KMS's certificate (F.2.1) where the document had none. */
export function withUid(keySet: KmsKeySet, certificate: KmsCertificate): KeySet {
  const uid =
    keySet.uid ??
    computeUid({
      uri: keySet.userUri,
      kmsUri: certificate.kmsUri,
      period: certificate.userKeyPeriod,
      offset: certificate.userKeyOffset,
      keyPeriodNo: keySet.keyPeriodNo,
    });
  return { ...keySet, uid };
}

/**
 * Reads a KmsKeySet element. Keys that are not among those unwrapped must be in clear.
 *
 * @throws {MikeySakkeError} codec `KMS_KEY_ENCRYPTED` when a key is wrapped with a TrK; `KMS_XML_MISSING`,
 * `KMS_XML_DUPLICATE` or `KMS_XML_VALUE`
 */
export function readKeySetElement(source: XmlElement, unwrapped?: UnwrappedKeys): KmsKeySet {
  requireElementContent(source);
  return {
    kmsUri: required(source, "KmsUri", stringOf),
    userUri: required(source, "UserUri", stringOf),
    keyPeriodNo: required(source, "KeyPeriodNo", countOf),
    rsk: required(source, "UserDecryptKey", (key) => pointKeyOf(key, RSK_BYTES, unwrapped)),
    ssk: required(source, "UserSigningKeySSK", (key) => scalarKeyOf(key, SSK_BYTES, unwrapped)),
    pvt: required(source, "UserPubTokenPVT", (key) => pointKeyOf(key, PVT_BYTES, unwrapped)),
    ...defined({
      id: attribute(source, "Id"),
      uid: required(source, "UserID", userIdOf),
      certUri: optional(source, "CertUri", stringOf),
      issuer: optional(source, "Issuer", stringOf),
      validFrom: optional(source, "ValidFrom", dateTimeOf),
      validTo: optional(source, "ValidTo", dateTimeOf),
      revoked: optional(source, "Revoked", booleanOf),
    }),
  };
}

/**
 * The UID is base64 by D.3.3 and hexadecimal in field documents; 64 hex digits are never 32 octets of base64.
 * The 16 octets in hexadecimal of TS 36.579-1 5.6.2 are no UID of F.2.1 and are passed over.
 */
function userIdOf(node: XmlElement): Uint8Array | undefined {
  // xs:base64Binary and xs:hexBinary alike may be broken into lines in documents of the field.
  const text = stringOf(node).replace(/[\t\n\r ]+/g, "");
  if (/^[0-9a-fA-F]{64}$/.test(text)) return fromHex(text);
  if (/^[0-9a-fA-F]{32}$/.test(text)) return undefined;
  if (/^[A-Za-z0-9+/]{43}=$/.test(text)) return fromBase64(text);
  throw malformed(node, "neither base64 nor hexadecimal of a 32-octet UID");
}

/**
 * The element in schema order, keys in clear unless `keyNode` wraps them; `xmlns` holds the namespaces when it is the root.
 *
 * @throws {MikeySakkeError} usage `KMS_XML_INCOMPLETE` without the UID, which the schema demands
 */
export function keySetNode(
  keySet: KmsKeySet,
  xmlns: XmlAttributes = {},
  keyNode: KeyWriter = clearKeyNode,
): XmlNode {
  const { uid } = keySet;
  if (uid === undefined) {
    throw new MikeySakkeError("usage", "KMS_XML_INCOMPLETE", `KmsKeySet of ${keySet.userUri}: no UID`);
  }
  return element("KmsKeySet", { ...xmlns, Id: keySet.id, Version: VERSION }, [
    leaf("KmsUri", keySet.kmsUri),
    leaf("CertUri", keySet.certUri),
    leaf("Issuer", keySet.issuer),
    leaf("UserUri", keySet.userUri),
    leaf("UserID", toBase64(uid)),
    timeLeaf("ValidFrom", keySet.validFrom),
    timeLeaf("ValidTo", keySet.validTo),
    leaf("KeyPeriodNo", keySet.keyPeriodNo),
    leaf("Revoked", keySet.revoked),
    keyNode("UserDecryptKey", keySet.rsk),
    keyNode("UserSigningKeySSK", keySet.ssk),
    keyNode("UserPubTokenPVT", keySet.pvt),
  ]);
}
