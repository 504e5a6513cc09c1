/** Documents as a small tree of elements, for readers that ignore comments, prefixes and the order of text. */
import { decodeXml, readXmlEvents, XMLNS, type XmlLimits, type XmlTag } from "./xml-events.ts";

export { XML_LIMITS, type XmlLimits } from "./xml-events.ts";

export interface XmlAttribute {
  readonly local: string;
  readonly namespace: string;
  readonly value: string;
}

export interface XmlElement {
  readonly local: string;
  readonly namespace: string;
  /** Where the element stands, for error texts: `/KmsResponse/KmsMessage/KmsKeyProv/KmsKeySet[2]`. */
  readonly path: string;
  readonly attributes: readonly XmlAttribute[];
  readonly children: readonly XmlElement[];
  /** The character data directly inside this element, CDATA sections included. */
  readonly text: string;
}

interface OpenElement {
  local: string;
  namespace: string;
  path: string;
  attributes: XmlAttribute[];
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

function pathOf(parent: OpenElement | undefined, local: string): string {
  if (parent === undefined) return `/${local}`;
  const n = (parent.counts.get(local) ?? 0) + 1;
  parent.counts.set(local, n);
  return n === 1 ? `${parent.path}/${local}` : `${parent.path}/${local}[${n}]`;
}
