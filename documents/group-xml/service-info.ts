/**
 * The info documents of the services: who calls whom, and the access token (TS 24.379 F.1, TS 24.281 F.1, TS 24.282
 * D.1).
 */
import { defined } from "../../base/defined.ts";
import { trimmed } from "../xml/values.ts";
import type { XmlElement } from "../xml/xml-reader.ts";
import { element, leaf, writeXml } from "../xml/xml-writer.ts";
import {
  attribute,
  malformed,
  optionalChild,
  parseRoot,
  requireAtMost,
  requiredChild,
  textOf,
} from "./fields.ts";
import {
  GROUP_XML_LIMITS,
  MCDATA_INFO_NAMESPACE,
  MCPTT_INFO_NAMESPACE,
  MCVIDEO_INFO_NAMESPACE,
  SMALL_DOCUMENT_LIMITS,
} from "./names.ts";
import { bindingNode, type RequestBinding, readBinding } from "./request-binding.ts";

export interface ServiceInfo {
  /** As a bearer token (RFC 6750). */
  readonly accessToken?: string;
  /** Kind of the call, as prearranged or chat; of a data request, as group-sds. */
  readonly requestType?: string;
  /** Recipient: a group or a user. */
  readonly requestUri?: string;
  /** MC service user ID of who calls. */
  readonly callingUser?: string;
  readonly callingGroup?: string;
  /** An element of this package, which binds the request to its client. */
  readonly binding?: RequestBinding;
}

/** The mcptt-info body of a request (TS 24.379 F.1). */
export type McpttInfo = ServiceInfo;
/** The mcvideo-info body of a request (TS 24.281 F.1). */
export type McvideoInfo = ServiceInfo;
/** The mcdata-info body of a request (TS 24.282 D.1). */
export type McdataInfo = ServiceInfo;

/** Values of `request-type`. NOTIFY is ours: what the standard calls notifications of a disposition was not read (D-188). */
export const MCDATA_REQUESTS = {
  GROUP_SDS: "group-sds",
  GROUP_FD: "group-fd",
  ONE_TO_ONE_FD: "one-to-one-fd",
  NOTIFY: "notify",
} as const;

interface InfoNames {
  readonly service: "mcptt" | "mcvideo" | "mcdata";
  readonly namespace: string;
  /** The element of `requestType`. */
  readonly requestType: string;
}

const MCPTT: InfoNames = {
  service: "mcptt",
  namespace: MCPTT_INFO_NAMESPACE,
  requestType: "session-type",
};
const MCVIDEO: InfoNames = {
  service: "mcvideo",
  namespace: MCVIDEO_INFO_NAMESPACE,
  requestType: "session-type",
};
const MCDATA: InfoNames = {
  service: "mcdata",
  namespace: MCDATA_INFO_NAMESPACE,
  requestType: "request-type",
};

export function writeMcpttInfo(info: McpttInfo): string {
  return writeServiceInfo(MCPTT, info);
}

/** @throws {MikeySakkeError} codec: as `readGktpDocument`; `MCPTT_INFO_ENCRYPTED` for what is encrypted under a CSK */
export function readMcpttInfo(document: string | Uint8Array): McpttInfo {
  return readServiceInfo(MCPTT, document);
}

export function writeMcvideoInfo(info: McvideoInfo): string {
  return writeServiceInfo(MCVIDEO, info);
}

/** @throws {MikeySakkeError} codec: as `readGktpDocument`; `MCVIDEO_INFO_ENCRYPTED` for what is encrypted under a CSK */
export function readMcvideoInfo(document: string | Uint8Array): McvideoInfo {
  return readServiceInfo(MCVIDEO, document);
}

export function writeMcdataInfo(info: McdataInfo): string {
  return writeServiceInfo(MCDATA, info);
}

/** @throws {MikeySakkeError} codec: as `readGktpDocument`; `MCDATA_INFO_ENCRYPTED` for what is encrypted under a CSK */
export function readMcdataInfo(document: string | Uint8Array): McdataInfo {
  return readServiceInfo(MCDATA, document);
}

function writeServiceInfo(names: InfoNames, info: ServiceInfo): string {
  const { service, namespace, requestType } = names;
  const typed = (name: string, kind: string, value: string | undefined) =>
    value === undefined ? undefined : element(name, { type: "Normal" }, [leaf(`${service}${kind}`, value)]);
  return writeXml(
    element(`${service}info`, { xmlns: namespace }, [
      element(`${service}-Params`, {}, [
        typed(`${service}-access-token`, "String", info.accessToken),
        info.requestType === undefined ? undefined : leaf(requestType, info.requestType),
        typed(`${service}-request-uri`, "URI", info.requestUri),
        typed(`${service}-calling-user-id`, "URI", info.callingUser),
        typed(`${service}-calling-group-id`, "URI", info.callingGroup),
      ]),
      bindingNode(info.binding),
    ]),
  );
}

/** Errors as those of `readMcpttInfo`. Parameters that are not known are passed over. */
function readServiceInfo(names: InfoNames, document: string | Uint8Array): ServiceInfo {
  const { service, namespace, requestType } = names;
  const root = parseRoot(document, namespace, `${service}info`, SMALL_DOCUMENT_LIMITS);
  const parameters = optionalChild(root, `${service}-Params`);
  const binding = readBinding(root);
  if (parameters === undefined) return defined({ binding });
  const child = (name: string) => optionalChild(parameters, name);
  const uri = (name: string) =>
    typedText(child(`${service}-${name}`), names, "URI", GROUP_XML_LIMITS.uriLength);
  const kind = child(requestType);
  return defined({
    accessToken: typedText(child(`${service}-access-token`), names, "String", GROUP_XML_LIMITS.tokenLength),
    requestType: kind && textOf(kind),
    requestUri: uri("request-uri"),
    callingUser: uri("calling-user-id"),
    callingGroup: uri("calling-group-id"),
    binding,
  });
}

const INFO_ENCRYPTED = {
  mcptt: "MCPTT_INFO_ENCRYPTED",
  mcvideo: "MCVIDEO_INFO_ENCRYPTED",
  mcdata: "MCDATA_INFO_ENCRYPTED",
} as const;

function typedText(
  typed: XmlElement | undefined,
  { service }: InfoNames,
  kind: "URI" | "String",
  limit: number,
): string | undefined {
  if (typed === undefined) return undefined;
  if (trimmed(attribute(typed, "type") ?? "Normal") !== "Normal") {
    throw malformed(typed, "must be decrypted before it is read", INFO_ENCRYPTED[service]);
  }
  const text = textOf(requiredChild(typed, `${service}${kind}`));
  if (text === "") throw malformed(typed, "empty");
  requireAtMost(typed, text.length, limit, "characters");
  return text;
}
