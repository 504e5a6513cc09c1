/** KmsRequest (TS 33.180 D.2.2): what a client posts to a KMS. */

import { defined } from "../../base/defined.ts";
import type { XmlElement } from "../xml/xml-reader.ts";
import { element, leaf, type XmlAttributes, type XmlNode } from "../xml/xml-writer.ts";
import { timeLeaf } from "./date-time.ts";
import { errorInfoNode, type KmsErrorInfo, readErrorInfo } from "./error-info.ts";
import {
  attribute,
  dateTimeOf,
  malformed,
  optional,
  required,
  requiredChild,
  requireElementContent,
  stringOf,
  textOf,
} from "./fields.ts";
import { type ProtectionIds, protectionIdNodes, readProtectionIds } from "./protection-ids.ts";

const VERSION = "1.1.0";

/** Namespace of KMS redirect responses (D.4). */
export const KRR_NAMESPACE = "urn:3gpp:ns:mcsecKMSKRR:1.0";

export interface KmsRequest extends ProtectionIds {
  readonly id?: string;
  /** User making the request. */
  readonly userUri: string;
  /** The KMS addressed. */
  readonly kmsUri: string;
  /** Milliseconds since the Unix epoch. */
  readonly time: number;
  readonly clientId?: string;
  readonly deviceId?: string;
  /** Resource that the request is posted to. */
  readonly clientReqUrl: string;
  /** KMS URIs that the redirect responses of a KrrList propose. */
  readonly krrKmsUris?: readonly string[];
  /** About a failure before. */
  readonly clientError?: KmsErrorInfo;
}

/**
 * Reads a KmsRequest element, or the one inside a SignedKmsRequest. The signature is not checked. Children are
 * taken in any order (D.2.2 and the schema differ, and so do clients).
 *
 * @throws {MikeySakkeError} codec `KMS_XML_MISSING`, `KMS_XML_DUPLICATE` or `KMS_XML_VALUE`
 */
export function readRequestElement(node: XmlElement): KmsRequest {
  const source = node.local === "SignedKmsRequest" ? requiredChild(node, "KmsRequest") : node;
  requireElementContent(source);
  // D.2.2 says 1.1.0; 1.0.0 is seen in the field.
  const version = attribute(source, "Version")?.trim() ?? VERSION;
  if (!/^1\.\d+\.\d+$/.test(version)) throw malformed(source, "Version is not 1.1.0");
  return {
    userUri: required(source, "UserUri", stringOf),
    kmsUri: required(source, "KmsUri", stringOf),
    time: required(source, "Time", dateTimeOf),
    clientReqUrl: required(source, "ClientReqUrl", stringOf),
    ...defined({
      id: attribute(source, "Id"),
      clientId: optional(source, "ClientId", textOf),
      deviceId: optional(source, "DeviceId", textOf),
      krrKmsUris: optional(source, "KrrList", proposedKmsUris),
      clientError: optional(source, "ClientError", readErrorInfo),
    }),
    ...readProtectionIds(source),
  };
}

/**
 * The schema of a redirect response (D.4.4) is not at hand: a KMS URI is any leaf whose name ends in KmsUri. What
 * names the KMS that was rejected proposes nothing.
 */
function proposedKmsUris(list: XmlElement): string[] {
  const found = new Set<string>();
  const visit = (node: XmlElement) => {
    if (/reject/i.test(node.local)) return;
    const isUri = node.children.length === 0 && /kms-?uri$/i.test(node.local);
    if (isUri) found.add(stringOf(node));
    for (const child of node.children) visit(child);
  };
  visit(list);
  return [...found];
}

/** The element in schema order; `xmlns` holds the namespaces when it is the root. */
export function requestNode(request: KmsRequest, xmlns: XmlAttributes = {}): XmlNode {
  const { krrKmsUris, clientError } = request;
  return element("KmsRequest", { ...xmlns, Id: request.id, Version: VERSION }, [
    leaf("UserUri", request.userUri),
    leaf("KmsUri", request.kmsUri),
    timeLeaf("Time", request.time),
    leaf("ClientId", request.clientId),
    leaf("DeviceId", request.deviceId),
    leaf("ClientReqUrl", request.clientReqUrl),
    krrKmsUris &&
      element(
        "KrrList",
        {},
        krrKmsUris.map((uri) => element("KmsUri", { xmlns: KRR_NAMESPACE }, uri)),
      ),
    clientError && errorInfoNode("ClientError", clientError),
    ...protectionIdNodes(request),
  ]);
}
