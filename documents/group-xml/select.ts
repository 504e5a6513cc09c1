/** A part of a document, as an XCAP GET with a node selector returns it (RFC 4825 7.10). */
import { decodeXml, readXmlEvents, XMLNS, type XmlTag, type XmlTagAttribute } from "../xml/xml-events.ts";
import { escapeXml } from "../xml/xml-writer.ts";
import { DOCUMENT_LIMITS, MEDIA } from "./names.ts";
import type { NodeSelector, SelectedName, SelectorStep } from "./node-selector.ts";

export interface SelectedNode {
  /** application/xcap-el+xml, application/xcap-att+xml or application/xcap-ns+xml. */
  readonly contentType: string;
  /** An element is as it stands in the document, whose namespace declarations it may need. */
  readonly body: string;
}

interface Node {
  readonly tag: XmlTag;
  readonly parent: Node | undefined;
  readonly children: Node[];
  /** Offsets in the text. */
  readonly start: number;
  end: number;
}

/**
 * Returns what the selector names in the document; undefined when it names nothing, or more than one node.
 *
 * @throws {MikeySakkeError} codec: those of `parseXml`
 */
export function select(document: string | Uint8Array, selector: NodeSelector): SelectedNode | undefined {
  const text = decodeXml(document, DOCUMENT_LIMITS);
  let [found, siblings]: [Node[], Node[][]] = [[], [[parseTree(text)]]];
  for (const step of selector.steps) {
    found = siblings.flatMap((nodes) => matching(nodes, step));
    siblings = found.map(({ children }) => children);
  }
  const [node, ...more] = found;
  if (node === undefined || more.length > 0) return undefined;
  const { terminal } = selector;
  if (terminal === undefined) {
    return { contentType: MEDIA.xcapElement, body: text.slice(node.start, node.end) };
  }
  if (terminal === "namespaces") return { contentType: MEDIA.xcapNamespaces, body: namespacesOf(node) };
  const attribute = attributeOf(node, terminal);
  return attribute && { contentType: MEDIA.xcapAttribute, body: escapeXml(attribute.value) };
}

function parseTree(text: string): Node {
  const open: Node[] = [];
  let root: Node | undefined;
  readXmlEvents(
    text,
    {
      open(tag, end) {
        const parent = open.at(-1);
        // No "<" can be inside a tag, so the last one before its end begins it.
        const node: Node = { tag, parent, children: [], start: text.lastIndexOf("<", end - 1), end };
        parent?.children.push(node);
        root ??= node;
        open.push(node);
      },
      close(end) {
        open.pop()!.end = end;
      },
      text() {},
    },
    DOCUMENT_LIMITS,
  );
  return root!;
}

function matching(nodes: readonly Node[], { name, position, attribute }: SelectorStep): Node[] {
  const named = nodes.filter(
    ({ tag }) => name === undefined || (tag.local === name.local && tag.uri === name.namespace),
  );
  const placed = position === undefined ? named : named.slice(position - 1, position);
  return placed.filter(
    (node) => attribute === undefined || attributeOf(node, attribute)?.value === attribute.value,
  );
}

function attributeOf({ tag }: Node, { namespace, local }: SelectedName): XmlTagAttribute | undefined {
  return Object.values(tag.attributes).find((a) => a.uri === namespace && a.local === local);
}

/** An element of that name with all declarations in its scope. */
function namespacesOf(node: Node): string {
  const declarations = new Map<string, string>();
  for (let at: Node | undefined = node; at !== undefined; at = at.parent) {
    for (const { uri, name, value } of Object.values(at.tag.attributes)) {
      if (uri === XMLNS && !declarations.has(name)) declarations.set(name, value);
    }
  }
  return `<${node.tag.name}${[...declarations].map(([name, uri]) => ` ${name}="${escapeXml(uri)}"`).join("")}/>`;
}
