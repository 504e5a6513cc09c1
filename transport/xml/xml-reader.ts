/**
 * A small element tree over `saxes`. It refuses what key documents never need and attacks do: document type
 * declarations, entities beyond the five predefined ones, excessive size, depth or number of elements.
 */
import { SaxesParser } from "saxes";
import { fromUtf8 } from "../../bindings/bytes.ts";
import { MikeySakkeError } from "../../bindings/errors.ts";

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

export interface XmlLimits {
  /** Length of the document: octets, or characters of a string. */
  maxLength: number;
  maxDepth: number;
  maxElements: number;
}

/** Room for the key sets of 10,000 users in one document (about 1.4 kB and 12 elements each). */
export const XML_LIMITS: XmlLimits = { maxLength: 16 << 20, maxDepth: 32, maxElements: 250_000 };

const XMLNS = "http://www.w3.org/2000/xmlns/";

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
 * @throws {MikeySakkeError} codec `XML_TOO_LARGE`, `XML_TOO_DEEP`, `XML_DTD`, `XML_ENCODING` or
 * `XML_NOT_WELL_FORMED`; the text names line and column, never content.
 */
export function parseXml(document: string | Uint8Array, limits: Partial<XmlLimits> = {}): XmlElement {
  const { maxLength, maxDepth, maxElements } = { ...XML_LIMITS, ...limits };
  if (document.length > maxLength) {
    throw new MikeySakkeError("codec", "XML_TOO_LARGE", `XML document: longer than ${maxLength} octets`);
  }
  const text = typeof document === "string" ? document : fromUtf8(document, "XML document");

  const parser = new SaxesParser({ xmlns: true });
  const stack: OpenElement[] = [];
  let root: XmlElement | undefined;
  let elements = 0;

  const fail = (code: string, what: string): never => {
    throw new MikeySakkeError(
      "codec",
      code,
      `XML document: ${what} (line ${parser.line}, column ${parser.columnIndex + 1})`,
    );
  };
  const append = (data: string) => {
    const open = stack.at(-1);
    if (open !== undefined) open.text += data;
  };

  parser.on("error", (error) => fail("XML_NOT_WELL_FORMED", reason(error)));
  parser.on("doctype", () => fail("XML_DTD", "document type declarations are not accepted"));
  parser.on("xmldecl", ({ encoding }) => {
    if (
      encoding !== undefined &&
      encoding.toUpperCase() !== "UTF-8" &&
      encoding.toUpperCase() !== "US-ASCII"
    ) {
      fail("XML_ENCODING", "the encoding must be UTF-8");
    }
  });
  parser.on("text", append);
  parser.on("cdata", append);
  parser.on("opentag", (tag) => {
    if (++elements > maxElements) fail("XML_TOO_LARGE", `more than ${maxElements} elements`);
    if (stack.length >= maxDepth) fail("XML_TOO_DEEP", `more than ${maxDepth} levels`);
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
  });
  parser.on("closetag", () => {
    const { counts: _, ...element } = stack.pop()!;
    const parent = stack.at(-1);
    if (parent === undefined) root = element;
    else parent.children.push(element);
  });
  parser.write(text).close();
  return root ?? fail("XML_NOT_WELL_FORMED", "no root element");
}

function pathOf(parent: OpenElement | undefined, local: string): string {
  if (parent === undefined) return `/${local}`;
  const n = (parent.counts.get(local) ?? 0) + 1;
  parent.counts.set(local, n);
  return n === 1 ? `${parent.path}/${local}` : `${parent.path}/${local}[${n}]`;
}

/** The parser prefixes its messages with a position; ours is given in one form for all errors. */
function reason(error: Error): string {
  return error.message.replace(/^(?:[^:\s]*:)?\d+:\d+:\s*/, "");
}
