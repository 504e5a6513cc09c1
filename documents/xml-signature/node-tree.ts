/** Documents with everything that canonicalisation needs: prefixes, declarations, comments and order. */
import { decodeXml, readXmlEvents, XMLNS, type XmlLimits, type XmlTag } from "../xml/xml-events.ts";

export interface AttributeNode {
  /** As written, with its prefix. */
  readonly name: string;
  readonly local: string;
  readonly namespace: string;
  readonly value: string;
}

export interface ElementNode {
  readonly type: "element";
  readonly name: string;
  readonly prefix: string;
  readonly local: string;
  readonly namespace: string;
  /** Without the namespace declarations. */
  readonly attributes: readonly AttributeNode[];
  /** Declarations on this element: prefix, or "" for the default namespace, to URI. */
  readonly declared: ReadonlyMap<string, string>;
  readonly children: readonly ChildNode[];
  readonly parent: ElementNode | undefined;
}

export type ChildNode =
  | ElementNode
  | { readonly type: "text"; readonly data: string }
  | { readonly type: "comment"; readonly data: string }
  | { readonly type: "instruction"; readonly target: string; readonly body: string };

export interface DocumentNode {
  readonly type: "document";
  readonly root: ElementNode;
  /** The root, and the comments and processing instructions around it. */
  readonly children: readonly ChildNode[];
  readonly text: string;
  /** Offset in `text` just after the end tag of the root. */
  readonly end: number;
}

/**
 * Parses a document. With a parent its root takes part in the namespaces of that, as if it stood there.
 *
 * @throws {MikeySakkeError} codec: as `parseXml`
 */
export function parseNodes(
  document: string | Uint8Array,
  limits?: Partial<XmlLimits>,
  parent?: ElementNode,
): DocumentNode {
  const text = decodeXml(document, limits);
  const top: ChildNode[] = [];
  const open: { element: ElementNode; children: ChildNode[] }[] = [];
  let root: ElementNode | undefined;
  let end = 0;
  const add = (node: ChildNode) => (open.at(-1)?.children ?? top).push(node);
  const events = {
    open(tag: XmlTag) {
      const children: ChildNode[] = [];
      const element = elementOf(tag, children, open.at(-1)?.element ?? parent);
      add(element);
      root ??= element;
      open.push({ element, children });
    },
    close(at: number) {
      open.pop();
      end = at;
    },
    text: (data: string) => add({ type: "text", data }),
    comment: (data: string) => add({ type: "comment", data }),
    processingInstruction: (target: string, body: string) => add({ type: "instruction", target, body }),
  };
  readXmlEvents(text, events, limits);
  return { type: "document", root: root!, children: top, text, end };
}

function elementOf(tag: XmlTag, children: ChildNode[], parent: ElementNode | undefined): ElementNode {
  const attributes: AttributeNode[] = [];
  const declared = new Map<string, string>();
  for (const { name, prefix, local, uri, value } of Object.values(tag.attributes)) {
    if (uri === XMLNS) declared.set(prefix === "" ? "" : local, value);
    else attributes.push({ name, local, namespace: uri, value });
  }
  const { name, prefix, local, uri } = tag;
  return { type: "element", name, prefix, local, namespace: uri, attributes, declared, children, parent };
}

/** The namespace that a prefix has in an element, "" for none. */
export function resolvePrefix(element: ElementNode, prefix: string): string {
  for (let at: ElementNode | undefined = element; at !== undefined; at = at.parent) {
    const uri = at.declared.get(prefix);
    if (uri !== undefined) return uri;
  }
  return "";
}

export function elementsOf(parent: ElementNode): ElementNode[] {
  return parent.children.filter((child) => child.type === "element");
}

/** Character data directly inside the element. */
export function textOf(element: ElementNode): string {
  return element.children.map((child) => (child.type === "text" ? child.data : "")).join("");
}
