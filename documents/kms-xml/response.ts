/** KmsResponse (TS 33.180 D.3.1) with a message or a KmsError. */
import { defined } from "../../base/defined.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import type { XmlElement } from "../xml/xml-reader.ts";
import { element, leaf, type XmlAttributes, type XmlNode } from "../xml/xml-writer.ts";
import { timeLeaf } from "./date-time.ts";
import { errorInfoNode, type KmsErrorInfo, readErrorInfo } from "./error-info.ts";
import {
  attribute,
  dateTimeOf,
  optional,
  required,
  requiredChild,
  requireElementContent,
  stringOf,
} from "./fields.ts";
import { clearKeyNode, type KeyWriter, type UnwrappedKeys } from "./key-content.ts";
import { type KmsMessage, messageNode, readMessage } from "./message.ts";
import { type ProtectionIds, protectionIdNodes, readProtectionIds } from "./protection-ids.ts";

const VERSION = "1.0.0";

export interface KmsResponse extends ProtectionIds {
  readonly id?: string;
  /** Addressee. */
  readonly userUri: string;
  /** Sender. */
  readonly kmsUri: string;
  /** Milliseconds since the Unix epoch. */
  readonly time: number;
  readonly kmsId?: string;
  /** The URL at which the request came in. */
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
export function readResponseElement(node: XmlElement, unwrapped?: UnwrappedKeys): KmsResponse {
  const source = responseElementOf(node);
  requireElementContent(source);
  return {
    userUri: required(source, "UserUri", stringOf),
    kmsUri: required(source, "KmsUri", stringOf),
    time: required(source, "Time", dateTimeOf),
    clientReqUrl: required(source, "ClientReqUrl", stringOf),
    ...defined({
      id: attribute(source, "Id"),
      kmsId: optional(source, "KmsId", stringOf),
      message: optional(source, "KmsMessage", (message) => readMessage(message, unwrapped)),
      error: optional(source, "KmsError", readErrorInfo),
    }),
    ...readProtectionIds(source),
  };
}

export function responseElementOf(node: XmlElement): XmlElement {
  return node.local === "SignedKmsResponse" ? requiredChild(node, "KmsResponse") : node;
}

/** The element in schema order; `xmlns` holds the namespaces when it is the root. */
export function responseNode(
  response: KmsResponse,
  xmlns: XmlAttributes = {},
  keyNode: KeyWriter = clearKeyNode,
): XmlNode {
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
    message && element("KmsMessage", {}, [messageNode(message, keyNode)]),
    error && errorInfoNode("KmsError", error),
    ...protectionIdNodes(response),
  ]);
}
