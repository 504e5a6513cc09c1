/** Documents as a small tree of elements, for readers that ignore comments, prefixes and the order of text. */
import { decodeXml, readXmlEvents, XMLNS, type XmlLimits, type XmlTag } from "./xml-events.ts";

export { XML_LIMITS, type XmlLimits } from "./xml-events.ts";

export interface XmlAttribute {
  readonly local: string;
  readonly namespace: string;
  readonly value: string;
}

/** Namespace declarations, those of an element and those around it. By prefix, "" for the default namespace. */
export interface XmlScope {
  readonly declared: ReadonlyMap<string, string>;
  readonly outer: XmlScope | undefined;
}

export interface XmlElement {
  readonly local: string;
  readonly namespace: string;
  /** The path at which the element stands, for error texts: `/KmsResponse/KmsMessage/KmsKeyProv/KmsKeySet[2]`. */
  readonly path: string;
  readonly attributes: readonly XmlAttribute[];
  readonly scope: XmlScope | undefined;
  readonly children: readonly XmlElement[];
  /** The character data directly inside this element, CDATA sections included. */
  readonly text: string;
}

interface OpenElement {
  local: string;
  namespace: string;
  path: string;
  attributes: XmlAttribute[];
  scope: XmlScope | undefined;
  children: XmlElement[];
  text: string;
  readonly counts: Map<string, number>;
}

/**
 * Parses a complete UTF-8 document into its root element.
 *
 * @throws {MikeySakkeError} codec: as `readXmlEvents`, `BAD_UTF8` for octets that are not UTF-8
 */
export function parseXml(document: string | Uint8Array, limits?: Partial<XmlLimits>): XmlElement {
  const stack: OpenElement[] = [];
  let root: XmlElement | undefined;
  const events = {
    open(tag: XmlTag) {
      stack.push({
        local: tag.local,
        namespace: tag.uri,
        path: pathOf(stack.at(-1), tag.local),
        attributes: Object.values(tag.attributes)
          .filter((a) => a.uri !== XMLNS)
          .map((a) => ({ local: a.local, namespace: a.uri, value: a.value })),
        scope: scopeOf(tag, stack.at(-1)?.scope),
        children: [],
        text: "",
        counts: new Map(),
      });
    },
    close() {
      const { counts: _, ...element } = stack.pop()!;
      const parent = stack.at(-1);
      if (parent === undefined) root = element;
      else parent.children.push(element);
    },
    text(data: string) {
      stack.at(-1)!.text += data;
    },
  };
  readXmlEvents(decodeXml(document, limits), events, limits);
  return root!;
}

/** The namespace that a prefix has in a scope, "" for the default one; undefined when it has none. */
export function resolveXmlPrefix(scope: XmlScope | undefined, prefix: string): string | undefined {
  for (let at = scope; at !== undefined; at = at.outer) {
    const uri = at.declared.get(prefix);
    if (uri !== undefined) return uri;
  }
  return undefined;
}

function scopeOf(tag: XmlTag, outer: XmlScope | undefined): XmlScope | undefined {
  const declared = new Map<string, string>();
  for (const { uri, prefix, local, value } of Object.values(tag.attributes)) {
    if (uri === XMLNS) declared.set(prefix === "" ? "" : local, value);
  }
  return declared.size === 0 ? outer : { declared, outer };
}

function pathOf(parent: OpenElement | undefined, local: string): string {
  if (parent === undefined) return `/${local}`;
  const n = (parent.counts.get(local) ?? 0) + 1;
  parent.counts.set(local, n);
  return n === 1 ? `${parent.path}/${local}` : `${parent.path}/${local}[${n}]`;
}
