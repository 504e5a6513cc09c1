/** KmsMessage (TS 33.180 D.3.1): one of KmsInit, KmsKeyProv, KmsCertCache and KmsLookup. */
import { defined } from "../../base/defined.ts";
import type { KmsCertificate } from "../../bindings/identity/kms-material.ts";
import type { XmlElement } from "../xml/xml-reader.ts";
import { element, leaf, type XmlNode } from "../xml/xml-writer.ts";
import { certificateNode, readCertificateElement } from "./certificate.ts";
import {
  attribute,
  childrenOf,
  malformed,
  optionalChild,
  requireElementContent,
  stringOf,
} from "./fields.ts";
import type { KeyWriter, UnwrappedKeys } from "./key-content.ts";
import { type KmsKeySet, keySetNode, readKeySetElement } from "./key-set.ts";
import { type NewKeys, newKeyNodes, readNewKeys } from "./new-keys.ts";

/** The schema fixes this value for messages, other than that of certificates and key sets. */
const VERSION = "1.0.0";

/** New TrKs and InKs, which are read from a protected response only: `openKmsResponse`. */
interface WithNewKeys {
  readonly newKeys?: NewKeys;
}

export interface KmsInit extends WithNewKeys {
  readonly type: "init";
  readonly certificate: KmsCertificate;
}

export interface KmsKeyProv extends WithNewKeys {
  readonly type: "keyprov";
  readonly keySets: readonly KmsKeySet[];
}

export interface KmsCertCache extends WithNewKeys {
  readonly type: "certcache";
  readonly certificates: readonly KmsCertificate[];
  readonly cacheNum?: number;
}

export interface KmsLookup extends WithNewKeys {
  readonly type: "lookup";
  readonly kmsUris: readonly string[];
}

export type KmsMessage = KmsInit | KmsKeyProv | KmsCertCache | KmsLookup;

const NAMES = { init: "KmsInit", keyprov: "KmsKeyProv", certcache: "KmsCertCache", lookup: "KmsLookup" };

export function readMessage(source: XmlElement, unwrapped?: UnwrappedKeys): KmsMessage {
  requireElementContent(source);
  const messages = Object.values(NAMES).flatMap((name) => optionalChild(source, name) ?? []);
  const [message, ...more] = messages;
  if (more.length > 0) throw malformed(source, "more than one message", "KMS_XML_DUPLICATE");
  if (message === undefined) {
    const other = source.children[0]?.local;
    const names = Object.values(NAMES).join(", ");
    const what = other === undefined ? "empty" : `message ${other} is not one of ${names}`;
    throw malformed(source, what, "KMS_MESSAGE_UNKNOWN");
  }
  requireElementContent(message);
  return { ...readContent(message, unwrapped), ...defined({ newKeys: readNewKeys(message, unwrapped) }) };
}

function readContent(message: XmlElement, unwrapped?: UnwrappedKeys): KmsMessage {
  switch (message.local) {
    case NAMES.init:
      return readInit(message);
    case NAMES.keyprov: {
      const keySets = childrenOf(message, "KmsKeySet").map((node) => readKeySetElement(node, unwrapped));
      return { type: "keyprov", keySets };
    }
    case NAMES.certcache:
      return readCertCache(message);
    default:
      return { type: "lookup", kmsUris: kmsUrisIn(message) };
  }
}

function readInit(source: XmlElement): KmsInit {
  const [certificate, ...more] = certificatesIn(source);
  if (certificate === undefined) throw malformed(source, "KmsCertificate is missing", "KMS_XML_MISSING");
  if (more.length > 0) throw malformed(source, "more than one KmsCertificate", "KMS_XML_DUPLICATE");
  return { type: "init", certificate };
}

function readCertCache(source: XmlElement): KmsCertCache {
  const cacheNum = attribute(source, "CacheNum")?.trim();
  if (cacheNum !== undefined && !/^\d{1,15}$/.test(cacheNum)) {
    throw malformed(source, "CacheNum is not an integer of 0 or more");
  }
  return {
    type: "certcache",
    certificates: certificatesIn(source),
    ...defined({ cacheNum: cacheNum === undefined ? undefined : Number(cacheNum) }),
  };
}

function certificatesIn(source: XmlElement): KmsCertificate[] {
  return [...childrenOf(source, "SignedKmsCertificate"), ...childrenOf(source, "KmsCertificate")].map(
    readCertificateElement,
  );
}

/** The type of KmsLookup is not at hand; whatever lists they stand in, its KMS URIs are taken to be KmsUri. */
function kmsUrisIn(source: XmlElement): string[] {
  return source.children.flatMap((c) => (c.local === "KmsUri" ? [stringOf(c)] : kmsUrisIn(c)));
}

export function messageNode(message: KmsMessage, keyNode: KeyWriter): XmlNode {
  const name = NAMES[message.type];
  const newKeys = newKeyNodes(message.newKeys, keyNode);
  const attributes = {
    "xsi:type": newKeys.length > 0 ? `${name}TkIkType` : undefined,
    Version: VERSION,
    CacheNum: message.type === "certcache" ? message.cacheNum?.toString() : undefined,
  };
  return element(name, attributes, [...contentNodes(message, keyNode), ...newKeys]);
}

function contentNodes(message: KmsMessage, keyNode: KeyWriter): (XmlNode | undefined)[] {
  switch (message.type) {
    case "init":
      return [certificateNode(message.certificate)];
    case "keyprov":
      return message.keySets.map((keySet) => keySetNode(keySet, {}, keyNode));
    case "certcache":
      return message.certificates.map((certificate) => certificateNode(certificate));
    case "lookup":
      return message.kmsUris.map((uri) => leaf("KmsUri", uri));
  }
}
