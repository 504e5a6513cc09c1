/** Group management operations (TS 24.481 6.3.14 to 6.3.16): reading a group without its list of members. */
import { element, writeXml } from "../xml/xml-writer.ts";
import { childrenOf, optionalChild, parseRoot } from "./fields.ts";
import { GMOP_NAMESPACE, SMALL_DOCUMENT_LIMITS } from "./names.ts";

/** The request that is posted to a group document; the answer is the group document without `list`. */
export function writeGmopRequest(): string {
  return writeXml(
    element("document", { xmlns: GMOP_NAMESPACE }, [
      element("request", {}, [element("get-excluding-memberlist", {}, [])]),
    ]),
  );
}

/**
 * Returns whether the document asks for a group without its list of members; false for other operations.
 *
 * @throws {MikeySakkeError} codec: as `readGktpDocument`
 */
export function isGmopGetExcludingMembers(document: string | Uint8Array): boolean {
  const root = parseRoot(document, GMOP_NAMESPACE, "document", SMALL_DOCUMENT_LIMITS);
  const request = optionalChild(root, "request");
  return request !== undefined && childrenOf(request, "get-excluding-memberlist").length === 1;
}
