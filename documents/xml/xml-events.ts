/**
 * One pass over a document with `saxes`. It refuses what key documents never need and attacks do: document type
 * declarations, entities beyond the five predefined ones, excessive size, depth or number of elements.
 */
import { SaxesParser } from "saxes";
import { fromUtf8 } from "../../base/bytes.ts";
import { type ErrorCode, MikeySakkeError } from "../../base/errors.ts";

export interface XmlLimits {
  /** Length of the document: octets, or characters of a string. */
  maxLength: number;
  maxDepth: number;
  maxElements: number;
}

/** Room for the key sets of 10,000 users in one document (about 1.4 kB and 12 elements each). */
export const XML_LIMITS: XmlLimits = { maxLength: 16 << 20, maxDepth: 32, maxElements: 250_000 };

/** Namespace of `xmlns` and `xmlns:…`. */
export const XMLNS = "http://www.w3.org/2000/xmlns/";

/** The part that is used of a start tag of the parser, whose own types are no part of this package's. */
export interface XmlTag {
  readonly name: string;
  readonly prefix: string;
  readonly local: string;
  readonly uri: string;
  /** By qualified name. */
  readonly attributes: Readonly<Record<string, XmlTagAttribute>>;
}

export interface XmlTagAttribute {
  readonly name: string;
  readonly prefix: string;
  readonly local: string;
  readonly uri: string;
  readonly value: string;
}

export interface XmlEvents {
  /** `end` is the offset in the text just after the tag. */
  open(tag: XmlTag, end: number): void;
  /** `end` is the offset in the text just after the tag. */
  close(end: number): void;
  /** Character data inside the root, CDATA sections included, with references resolved. */
  text(data: string): void;
  comment?(data: string): void;
  processingInstruction?(target: string, body: string): void;
}

/** The text of a document within the limit of length, without the byte order mark. */
export function decodeXml(document: string | Uint8Array, limits: Partial<XmlLimits> = {}): string {
  const { maxLength } = { ...XML_LIMITS, ...limits };
  if (document.length > maxLength) {
    throw new MikeySakkeError("codec", "XML_TOO_LARGE", `XML document: longer than ${maxLength} octets`);
  }
  const text = typeof document === "string" ? document : fromUtf8(document, "XML document");
  // The parser takes half of a pair and the next character, maybe a "<", for one.
  if (/\p{Surrogate}/u.test(text)) {
    throw new MikeySakkeError("codec", "XML_NOT_WELL_FORMED", "XML document: half of a surrogate pair");
  }
  return text.replace(/^\ufeff/, "");
}

/**
 * Reads a complete XML 1.0 document; `text` comes from `decodeXml`.
 *
 * @throws {MikeySakkeError} codec `XML_TOO_LARGE`, `XML_TOO_DEEP`, `XML_DTD`, `XML_ENCODING` or
 * `XML_NOT_WELL_FORMED`; the message names line and column, never content.
 */
export function readXmlEvents(text: string, events: XmlEvents, limits: Partial<XmlLimits> = {}): void {
  const { maxDepth, maxElements } = { ...XML_LIMITS, ...limits };
  const parser = new SaxesParser({ xmlns: true, defaultXMLVersion: "1.0", forceXMLVersion: true });
  let elements = 0;
  let depth = 0;

  const fail = (code: ErrorCode, what: string): never => {
    const place = `line ${parser.line}, column ${parser.columnIndex + 1}`;
    throw new MikeySakkeError("codec", code, `XML document: ${what} (${place})`);
  };
  const append = (data: string) => {
    if (depth > 0) events.text(data);
  };

  parser.on("error", (error) => fail("XML_NOT_WELL_FORMED", reason(error)));
  parser.on("doctype", () => fail("XML_DTD", "document type declarations are not accepted"));
  parser.on("xmldecl", ({ encoding }) => {
    if (encoding !== undefined && !/^(UTF-8|US-ASCII)$/i.test(encoding)) {
      fail("XML_ENCODING", "the encoding must be UTF-8");
    }
  });
  parser.on("text", append);
  parser.on("cdata", append);
  parser.on("opentag", (tag) => {
    if (++elements > maxElements) fail("XML_TOO_LARGE", `more than ${maxElements} elements`);
    if (++depth > maxDepth) fail("XML_TOO_DEEP", `more than ${maxDepth} levels`);
    events.open(tag, parser.position);
  });
  parser.on("closetag", () => {
    depth--;
    events.close(parser.position);
  });
  parser.on("comment", (data) => events.comment?.(data));
  parser.on("processinginstruction", ({ target, body }) => events.processingInstruction?.(target, body));
  parser.write(text).close();
}

/** The parser prefixes its messages with a position; ours is given in one form for all errors. */
function reason(error: Error): string {
  return error.message.replace(/^(?:[^:\s]*:)?\d+:\d+:\s*/, "");
}
