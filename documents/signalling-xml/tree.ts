/** Documents in which the content of some elements is replaced, written in canonical form. */
import { MikeySakkeError } from "../../base/errors.ts";
import type { XmlLimits } from "../xml/xml-events.ts";
import { escapeXml } from "../xml/xml-writer.ts";
import { canonicalize } from "../xml-signature/canonical.ts";
import {
  type AttributeNode,
  type ChildNode,
  type DocumentNode,
  type ElementNode,
  elementsOf,
  parseNodes,
  resolvePrefix,
} from "../xml-signature/node-tree.ts";

export interface Replacement {
  readonly attributes: readonly AttributeNode[];
  readonly content: ElementNode;
}

/** The canonical octets of the document with these replacements; comments are left out. */
export function rewrite(
  document: DocumentNode,
  replacements: ReadonlyMap<ElementNode, Replacement>,
): Uint8Array {
  const root = copy(document.root, undefined, replacements);
  const children = document.children.map((child) => (child.type === "element" ? root : child));
  return canonicalize({ ...document, root, children });
}

function copy(
  element: ElementNode,
  parent: ElementNode | undefined,
  replacements: ReadonlyMap<ElementNode, Replacement>,
): ElementNode {
  const replacement = replacements.get(element);
  const children: ChildNode[] = [];
  const attributes = replacement?.attributes ?? element.attributes;
  const result: ElementNode = { ...element, attributes, children, parent };
  for (const child of replacement ? [replacement.content] : element.children) {
    children.push(child.type === "element" ? copy(child, result, replacements) : child);
  }
  return result;
}

/** All elements in document order. */
export function* allElements(element: ElementNode): Generator<ElementNode> {
  yield element;
  for (const child of elementsOf(element)) yield* allElements(child);
}

/**
 * The one element that a text holds, read with the namespaces that are in scope inside `parent`.
 *
 * @throws {MikeySakkeError} codec: as `parseXml`, `XML_NOT_WELL_FORMED` for more than one element or other text
 */
export function parseFragment(text: string, parent: ElementNode, limits: Partial<XmlLimits>): ElementNode {
  const wrapper = parseNodes(`<w${declarationsFor(text, parent)}>${text}</w>`, limits).root;
  const [found, ...more] = elementsOf(wrapper);
  if (found === undefined || more.length > 0 || hasText(wrapper)) {
    throw new MikeySakkeError("codec", "XML_NOT_WELL_FORMED", "XML fragment: not exactly one element");
  }
  return found;
}

/** Character data directly inside, other than white space. */
export function hasText(element: ElementNode): boolean {
  return element.children.some((child) => child.type === "text" && /[^\t\n\r ]/.test(child.data));
}

/**
 * Declarations of the default namespace and of the prefixes that a text may use: all that are in scope can be thousands,
 * for each of hundreds of texts.
 */
function declarationsFor(text: string, element: ElementNode): string {
  // The prefixes of elements and attributes. Each match begins where the one before must have ended, so this takes linear time.
  const names = text.matchAll(/(?:<\/?|[\t\n\r ])([^\t\n\r <>/"'=:]+):/g);
  const prefixes = new Set(["", ...[...names].map((match) => match[1]!)]);
  let declarations = "";
  for (const prefix of prefixes) {
    const uri = resolvePrefix(element, prefix);
    if (uri === "") continue;
    declarations += ` ${prefix === "" ? "xmlns" : `xmlns:${prefix}`}="${escapeXml(uri)}"`;
  }
  return declarations;
}
