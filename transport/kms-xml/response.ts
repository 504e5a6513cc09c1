/** KmsResponse (TS 33.180 D.3.1) with the messages KmsInit, KmsKeyProv and KmsCertCache, or a KmsError. */
import { MikeySakkeError } from "../../bindings/errors.ts";
import type { KmsCertificate } from "../../bindings/kms-material.ts";
import type { XmlElement } from "../xml/xml-reader.ts";
import { element, leaf, type XmlAttributes, type XmlNode } from "../xml/xml-writer.ts";
import { certificateNode, readCertificateElement } from "./certificate.ts";
import { timeLeaf } from "./date-time.ts";
import {
  attribute,
  childrenOf,
  dateTimeOf,
  defined,
  integerOf,
  malformed,
  optional,
  optionalChild,
  required,
  requiredChild,
  requireElementContent,
  stringOf,
  textOf,
} from "./fields.ts";
import { type KmsKeySet, keySetNode, readKeySetElement } from "./key-set.ts";

/** The schema fixes this value for the response and its messages, other than that of certificates. */
const VERSION = "1.0.0";

export type KmsMessage =
  | { readonly type: "init"; readonly certificate: KmsCertificate }
  | { readonly type: "keyprov"; readonly keySets: readonly KmsKeySet[] }
  | {
      readonly type: "certcache";
      readonly certificates: readonly KmsCertificate[];
      readonly cacheNum?: number;
    };

export interface KmsErrorInfo {
  readonly errorCode: number;
  readonly errorMsg: string;
}

export interface KmsResponse {
  readonly id?: string;
  /** Addressee. */
  readonly userUri: string;
  /** Sender. */
  readonly kmsUri: string;
  /** Milliseconds since the Unix epoch. */
  readonly time: number;
  readonly kmsId?: string;
  /** Where the request came in. */
  readonly clientReqUrl: string;
  readonly message?: KmsMessage;
  readonly error?: KmsErrorInfo;
}

/**
 * Reads a KmsResponse element, or the one inside a SignedKmsResponse. The signature is not checked: whoever
 * needs it must do so on the document. Children are taken in any order (D.3.1 and the schema differ).
 *
 * @throws {MikeySakkeError} codec `KMS_XML_MISSING`, `KMS_XML_DUPLICATE`, `KMS_XML_VALUE`,
 * `KMS_MESSAGE_UNKNOWN` or `KMS_KEY_ENCRYPTED`
 */
export function readResponseElement(node: XmlElement): KmsResponse {
  const source = node.local === "SignedKmsResponse" ? requiredChild(node, "KmsResponse") : node;
  requireElementContent(source);
  return {
    userUri: required(source, "UserUri", stringOf),
    kmsUri: required(source, "KmsUri", stringOf),
    time: required(source, "Time", dateTimeOf),
    clientReqUrl: required(source, "ClientReqUrl", stringOf),
    ...defined({
      id: attribute(source, "Id"),
      kmsId: optional(source, "KmsId", stringOf),
      message: optional(source, "KmsMessage", readMessage),
      error: optional(source, "KmsError", readError),
    }),
  };
}

function readError(source: XmlElement): KmsErrorInfo {
  return {
    errorCode: required(source, "ErrorCode", integerOf),
    errorMsg: required(source, "ErrorMsg", textOf),
  };
}

function readMessage(source: XmlElement): KmsMessage {
  requireElementContent(source);
  const init = optionalChild(source, "KmsInit");
  const keyProv = optionalChild(source, "KmsKeyProv");
  const certCache = optionalChild(source, "KmsCertCache");
  if ([init, keyProv, certCache].filter((m) => m !== undefined).length > 1) {
    throw malformed(source, "more than one message", "KMS_XML_DUPLICATE");
  }
  if (init !== undefined) return readInit(init);
  if (keyProv !== undefined) {
    requireElementContent(keyProv);
    return { type: "keyprov", keySets: childrenOf(keyProv, "KmsKeySet").map(readKeySetElement) };
  }
  if (certCache !== undefined) return readCertCache(certCache);
  const other = source.children[0]?.local;
  throw malformed(
    source,
    other === undefined ? "empty" : `message ${other} is not one of KmsInit, KmsKeyProv, KmsCertCache`,
    "KMS_MESSAGE_UNKNOWN",
  );
}

function readInit(source: XmlElement): KmsMessage {
  requireElementContent(source);
  const [certificate, ...more] = certificatesIn(source);
  if (certificate === undefined) throw malformed(source, "KmsCertificate is missing", "KMS_XML_MISSING");
  if (more.length > 0) throw malformed(source, "more than one KmsCertificate", "KMS_XML_DUPLICATE");
  return { type: "init", certificate };
}

function readCertCache(source: XmlElement): KmsMessage {
  requireElementContent(source);
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

/** The element in schema order; `xmlns` holds the namespaces of the root. */
export function responseNode(response: KmsResponse, xmlns: XmlAttributes): XmlNode {
  const { message, error } = response;
  if (message !== undefined && error !== undefined) {
    throw new MikeySakkeError("usage", "KMS_XML_MESSAGE_AND_ERROR", "KmsResponse: a message and an error");
  }
  return element("KmsResponse", { ...xmlns, Id: response.id, Version: VERSION }, [
    leaf("UserUri", response.userUri),
    leaf("KmsUri", response.kmsUri),
    timeLeaf("Time", response.time),
    leaf("KmsId", response.kmsId),
    leaf("ClientReqUrl", response.clientReqUrl),
    message && element("KmsMessage", {}, [messageNode(message)]),
    error &&
      element("KmsError", { Version: VERSION }, [
        leaf("ErrorCode", error.errorCode),
        leaf("ErrorMsg", error.errorMsg),
      ]),
  ]);
}

function messageNode(message: KmsMessage): XmlNode {
  switch (message.type) {
    case "init":
      return element("KmsInit", { Version: VERSION }, [certificateNode(message.certificate)]);
    case "keyprov":
      return element(
        "KmsKeyProv",
        { Version: VERSION },
        message.keySets.map((keySet) => keySetNode(keySet)),
      );
    case "certcache":
      return element(
        "KmsCertCache",
        { Version: VERSION, CacheNum: message.cacheNum?.toString() },
        message.certificates.map((certificate) => certificateNode(certificate)),
      );
  }
}
