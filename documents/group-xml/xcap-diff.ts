/** Changes of XCAP resources (RFC 5874), the content of an `xcap-diff` NOTIFY (RFC 5875). */
import { defined } from "../../base/defined.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import { parseBoolean } from "../xml/values.ts";
import type { XmlElement } from "../xml/xml-reader.ts";
import { element, writeXml, type XmlNode } from "../xml/xml-writer.ts";
import {
  attribute,
  childrenOf,
  malformed,
  optionalChild,
  parseRoot,
  requireAtMost,
  uriAttribute,
} from "./fields.ts";
import { DOCUMENT_LIMITS, GKTP_NAMESPACE, GROUP_XML_LIMITS, XCAP_DIFF_NAMESPACE } from "./names.ts";
import { GKTP_PREFIX, type GktpPatch, patchNode, readPatches } from "./patch.ts";

/** new only: created, or there from the start. new and previous: changed. previous only: deleted. */
export interface XcapDiffDocument {
  /** Path from the XCAP root, as it was subscribed to. */
  readonly sel: string;
  /** In the document ETags stand without the quotes of HTTP; they are left out here and there. */
  readonly newEtag?: string;
  readonly previousEtag?: string;
  /** The ETag has changed, the content has not. */
  readonly bodyNotChanged?: boolean;
  /** From the previous version to the new one; absent: the document has to be fetched. */
  readonly patches?: readonly GktpPatch[];
}

/** Tells of an element or attribute, without its content. */
export interface XcapDiffNode {
  readonly sel: string;
  readonly exists: boolean;
}

export interface XcapDiff {
  readonly xcapRoot: string;
  readonly documents: readonly XcapDiffDocument[];
  readonly elements?: readonly XcapDiffNode[];
  readonly attributes?: readonly XcapDiffNode[];
}

/** @throws {MikeySakkeError} usage `BAD_PATCH`, `BAD_XML_TEXT` or `BAD_TIME` */
export function writeXcapDiff({ xcapRoot, documents, elements = [], attributes = [] }: XcapDiff): string {
  const isPatched = documents.some(({ patches = [] }) => patches.length > 0);
  const prefix = isPatched ? { [`xmlns:${GKTP_PREFIX}`]: GKTP_NAMESPACE } : {};
  const node = (name: string) => (n: XcapDiffNode) =>
    element(name, { sel: n.sel, exists: String(n.exists) }, []);
  return writeXml(
    element("xcap-diff", { xmlns: XCAP_DIFF_NAMESPACE, ...prefix, "xcap-root": xcapRoot }, [
      ...documents.map(documentNode),
      ...elements.map(node("element")),
      ...attributes.map(node("attribute")),
    ]),
  );
}

function documentNode({ sel, newEtag, previousEtag, bodyNotChanged, patches }: XcapDiffDocument): XmlNode {
  if (bodyNotChanged && patches !== undefined && patches.length > 0) {
    throw new MikeySakkeError("usage", "BAD_PATCH", "xcap-diff: patches of a document that has not changed");
  }
  return element(
    "document",
    { "new-etag": unquoted(newEtag), sel, "previous-etag": unquoted(previousEtag) },
    [bodyNotChanged ? element("body-not-changed", {}, []) : undefined, ...(patches ?? []).map(patchNode)],
  );
}

/**
 * Reads an xcap-diff document. Elements of other namespaces are passed over.
 *
 * @throws {MikeySakkeError} codec: as `readGktpDocument`
 */
export function readXcapDiff(document: string | Uint8Array): XcapDiff {
  const root = parseRoot(document, XCAP_DIFF_NAMESPACE, "xcap-diff", DOCUMENT_LIMITS);
  const all = (local: string) => {
    const found = childrenOf(root, local);
    requireAtMost(root, found.length, GROUP_XML_LIMITS.diffDocuments, `${local} elements`);
    return found;
  };
  const documents = all("document");
  const operations = documents.reduce((sum, { children }) => sum + children.length, 0);
  requireAtMost(root, operations, 2 * GROUP_XML_LIMITS.gktpEntries, "patch operations");
  const [elements, attributes] = [all("element").map(readNode), all("attribute").map(readNode)];
  return {
    xcapRoot: uriAttribute(root, "xcap-root"),
    documents: documents.map(readDocument),
    ...(elements.length > 0 && { elements }),
    ...(attributes.length > 0 && { attributes }),
  };
}

function readDocument(source: XmlElement): XcapDiffDocument {
  const bodyNotChanged = optionalChild(source, "body-not-changed") === undefined ? undefined : true;
  const patches = bodyNotChanged ? undefined : readPatches(source);
  return {
    sel: uriAttribute(source, "sel"),
    ...defined({
      newEtag: unquoted(attribute(source, "new-etag")),
      previousEtag: unquoted(attribute(source, "previous-etag")),
      bodyNotChanged,
      patches: patches?.length === 0 ? undefined : patches,
    }),
  };
}

function unquoted(etag: string | undefined): string | undefined {
  return etag?.replace(/^"([^"]*)"$/, "$1");
}

function readNode(source: XmlElement): XcapDiffNode {
  const exists = parseBoolean(attribute(source, "exists")?.trim() ?? "true");
  if (exists === undefined) throw malformed(source, "exists is not true or false");
  return { sel: uriAttribute(source, "sel"), exists };
}
