/**
 * Paths of documents from the XCAP root (RFC 4825 6.2), without a slash at their beginning, as `sel` and the entries of a
 * subscription have them.
 */
import { MikeySakkeError } from "../../base/errors.ts";
import {
  GKTP_AUID,
  GKTP_NAMESPACE,
  GROUP_AUID,
  GROUP_NAMESPACE,
  GROUP_XML_LIMITS,
  XCAP_CAPS_AUID,
  XCAP_CAPS_NAMESPACE,
} from "./names.ts";
import { type NodeSelector, parseNodeSelector } from "./node-selector.ts";
import { isUri } from "./uri.ts";

const BY_GROUP = "global/byGroupID";
const GKTP_DOCUMENT = "gktp.xml";

/** The document of a group (TS 24.481 7.2.10.2). */
export function groupDocumentPath(groupUri: string): string {
  return `${GROUP_AUID}/${BY_GROUP}/${encodeURIComponent(groupUri)}`;
}

/** All group documents. */
export function groupCollection(): string {
  return `${GROUP_AUID}/${BY_GROUP}/`;
}

/** Keys of a user. `xui` is the MC service user ID. */
export function gktpUserPath(xui: string): string {
  return `${gktpUserCollection(xui)}${GKTP_DOCUMENT}`;
}

export function gktpUserCollection(xui: string): string {
  return `${GKTP_AUID}/users/${encodeURIComponent(xui)}/`;
}

/** Keys of a group; each user sees only their own. */
export function gktpGroupPath(groupUri: string): string {
  return `${GKTP_AUID}/${BY_GROUP}/${encodeURIComponent(groupUri)}`;
}

/** The resource that a path names; `node` is there when it goes into the document (RFC 4825 6.3). */
export type XcapPath =
  | { readonly kind: "group"; readonly group: string; readonly node?: NodeSelector }
  | { readonly kind: "group-collection" }
  | { readonly kind: "gktp-user"; readonly xui: string; readonly node?: NodeSelector }
  | { readonly kind: "gktp-collection"; readonly xui: string }
  | { readonly kind: "gktp-group"; readonly group: string; readonly node?: NodeSelector }
  | { readonly kind: "gktp-group-collection" }
  | { readonly kind: "caps"; readonly node?: NodeSelector };

/**
 * Reads a path from the XCAP root, with or without a slash at its beginning, with the query of a node selector if there
 * is one. Undefined when there is no such document or collection.
 *
 * @throws {MikeySakkeError} codec `XCAP_PATH` for percent signs that encode nothing, a path that is too long, a group or
 * user whose name is no URI, or a selector that is malformed or of a form that is not supported
 */
export function parseXcapPath(path: string): XcapPath | undefined {
  if (path.length > GROUP_XML_LIMITS.uriLength) throw badPath("too long");
  const [, location, query] = /^\/?([^?]*)(?:\?(.*))?$/s.exec(path)!;
  const at = location!.indexOf("/~~/");
  const steps = (at < 0 ? location! : location!.slice(0, at)).split("/").map(decode);
  const node = (namespace: string) =>
    at < 0
      ? {}
      : { node: parseNodeSelector(decode(location!.slice(at + 4)), decode(query ?? ""), namespace) };
  const [auid, tree, name, document] = steps;
  const isDocument = steps.length === 4 && document !== "";
  const isCollection = steps.length === 4 && document === "" && at < 0;
  if (auid === XCAP_CAPS_AUID) {
    const isIndex = steps.length === 3 && tree === "global" && name === "index";
    return isIndex ? { kind: "caps", ...node(XCAP_CAPS_NAMESPACE) } : undefined;
  }
  const isByGroup = tree === "global" && name === "byGroupID";
  if (auid === GROUP_AUID && isByGroup) {
    if (isCollection) return { kind: "group-collection" };
    return isDocument ? { kind: "group", group: uri(document!), ...node(GROUP_NAMESPACE) } : undefined;
  }
  if (auid !== GKTP_AUID) return undefined;
  if (isByGroup) {
    if (isCollection) return { kind: "gktp-group-collection" };
    return isDocument ? { kind: "gktp-group", group: uri(document!), ...node(GKTP_NAMESPACE) } : undefined;
  }
  if (tree !== "users" || !name) return undefined;
  if (isCollection) return { kind: "gktp-collection", xui: uri(name) };
  return isDocument && document === GKTP_DOCUMENT
    ? { kind: "gktp-user", xui: uri(name), ...node(GKTP_NAMESPACE) }
    : undefined;
}

/** URI of a group or user. Names that are not URIs never reach the store of the GMS. */
function uri(name: string): string {
  if (!isUri(name)) throw badPath("a group or user whose name is no URI");
  return name;
}

/** No name of a resource has control characters, and databases do not take them all. */
const CONTROL = /\p{C}/u;

function decode(text: string): string {
  let decoded: string;
  try {
    decoded = decodeURIComponent(text);
  } catch (cause) {
    throw badPath("a percent sign that encodes nothing", cause);
  }
  if (CONTROL.test(decoded)) throw badPath("a control character");
  return decoded;
}

function badPath(what: string, cause?: unknown): MikeySakkeError {
  return new MikeySakkeError("codec", "XCAP_PATH", `XCAP path: ${what}`, { cause });
}
