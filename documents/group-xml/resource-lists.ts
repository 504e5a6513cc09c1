/** Resource lists (RFC 4826), of which an `xcap-diff` SUBSCRIBE carries a flat one (RFC 5875 4.4). */
import { element, writeXml } from "../xml/xml-writer.ts";
import { childrenOf, malformed, parseRoot, requireAtMost, uriAttribute } from "./fields.ts";
import { DOCUMENT_LIMITS, GROUP_XML_LIMITS, RESOURCE_LISTS_NAMESPACE } from "./names.ts";

export function writeResourceLists(uris: readonly string[]): string {
  const entries = uris.map((uri) => element("entry", { uri }, []));
  return writeXml(
    element("resource-lists", { xmlns: RESOURCE_LISTS_NAMESPACE }, [element("list", {}, entries)]),
  );
}

/**
 * The URIs of all entries, in their order, octet by octet.
 *
 * @throws {MikeySakkeError} codec: as `readGktpDocument`; `GROUP_XML_VALUE` for a nested list or a reference
 */
export function readResourceLists(document: string | Uint8Array): string[] {
  const root = parseRoot(document, RESOURCE_LISTS_NAMESPACE, "resource-lists", DOCUMENT_LIMITS);
  const lists = childrenOf(root, "list");
  for (const list of lists) {
    const nested = list.children.find(
      (c) => c.namespace === root.namespace && ["list", "entry-ref", "external"].includes(c.local),
    );
    if (nested !== undefined) throw malformed(nested, "the list must be flat");
  }
  const entries = lists.flatMap((list) => childrenOf(list, "entry"));
  requireAtMost(root, entries.length, GROUP_XML_LIMITS.listEntries, "entries");
  return entries.map((entry) => uriAttribute(entry, "uri"));
}
