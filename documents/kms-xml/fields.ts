/** Typed access to the children of a KMS element. Every error names the path of the element it is about. */
import { fromHex } from "../../base/bytes.ts";
import { type ErrorCode, MikeySakkeError } from "../../base/errors.ts";
import { parseDateTime } from "../xml/date-time.ts";
import { parseBoolean, trimmed } from "../xml/values.ts";
import type { XmlElement } from "../xml/xml-reader.ts";

/** Target namespace of the schema (TS 33.180 D.3.5.1). */
export const KMS_NAMESPACE = "urn:3gpp:ns:mcsecKMSInterface:1.0";
export const XSI_NAMESPACE = "http://www.w3.org/2001/XMLSchema-instance";
export const DSIG_NAMESPACE = "http://www.w3.org/2000/09/xmldsig#";
export const XENC_NAMESPACE = "http://www.w3.org/2001/04/xmlenc#";

export function malformed(
  element: XmlElement,
  what: string,
  code: ErrorCode = "KMS_XML_VALUE",
): MikeySakkeError {
  return new MikeySakkeError("codec", code, `${element.path}: ${what}`);
}

/**
 * The children of that local name. Published documents use other namespaces than the schema's, or none, so a
 * child counts when it is in the schema's namespace, in its parent's or in none; elements of any other
 * namespace are extensions, which D.1 says to ignore.
 */
export function childrenOf(parent: XmlElement, local: string): XmlElement[] {
  return parent.children.filter((c) => c.local === local && isOfSchema(c, parent));
}

/** Returns whether a child counts as an element of the schema and not as an extension. */
export function isOfSchema(child: XmlElement, parent: XmlElement): boolean {
  return child.namespace === KMS_NAMESPACE || child.namespace === parent.namespace || child.namespace === "";
}

export function optionalChild(parent: XmlElement, local: string): XmlElement | undefined {
  const found = childrenOf(parent, local);
  if (found.length > 1) throw malformed(parent, `more than one ${local}`, "KMS_XML_DUPLICATE");
  return found[0];
}

export function requiredChild(parent: XmlElement, local: string): XmlElement {
  const found = optionalChild(parent, local);
  if (found === undefined) throw malformed(parent, `${local} is missing`, "KMS_XML_MISSING");
  return found;
}

/** The value of a child that must be there. */
export function required<T>(parent: XmlElement, local: string, read: (child: XmlElement) => T): T {
  return read(requiredChild(parent, local));
}

/** The value of a child that may be there. */
export function optional<T>(
  parent: XmlElement,
  local: string,
  read: (child: XmlElement) => T,
): T | undefined {
  const child = optionalChild(parent, local);
  return child === undefined ? undefined : read(child);
}

/** Refuses character data between the children of an element that only has children. */
export function requireElementContent(element: XmlElement): void {
  if (/\S/.test(element.text)) throw malformed(element, "unexpected text between the elements");
}

export function attribute(element: XmlElement, local: string): string | undefined {
  return element.attributes.find((a) => a.local === local && a.namespace === "")?.value;
}

/** The local part of `xsi:type`. Only the local names count, as with elements. */
export function xsiType(element: XmlElement): string | undefined {
  const type = element.attributes.find((a) => a.local === "type" && a.namespace !== "");
  return type?.value.trim().replace(/^.*:/, "");
}

/** Character data of a leaf, without leading and trailing white space. Not empty. */
export function stringOf(element: XmlElement): string {
  if (element.children.length > 0) throw malformed(element, "unexpected elements inside");
  const text = trimmed(element.text);
  if (text === "") throw malformed(element, "empty");
  return text;
}

/** As `stringOf`, but an empty element is allowed. */
export function textOf(element: XmlElement): string {
  return element.children.length === 0 && !/\S/.test(element.text) ? "" : stringOf(element);
}

/** xsd:integer that is exact in a JavaScript number. */
export function integerOf(element: XmlElement): number {
  const text = stringOf(element);
  const value = Number(text);
  if (!/^[+-]?\d+$/.test(text) || !Number.isSafeInteger(value)) throw malformed(element, "not an integer");
  return value;
}

export function countOf(element: XmlElement): number {
  const value = integerOf(element);
  if (value < 0) throw malformed(element, "negative");
  return value;
}

export function booleanOf(element: XmlElement): boolean {
  const value = parseBoolean(stringOf(element));
  if (value === undefined) throw malformed(element, "not true or false");
  return value;
}

/** xsd:hexBinary, white space inside allowed; never quotes its content, which may be a secret. */
export function hexOf(element: XmlElement): Uint8Array {
  try {
    return fromHex(stringOf(element).replace(/[\t\n\r ]+/g, ""), "hexBinary");
  } catch (cause) {
    if (cause instanceof MikeySakkeError && cause.code !== "BAD_HEX") throw cause;
    throw malformed(element, "not an even number of hex digits");
  }
}

/** An uncompressed point in hexBinary; whether it is on its curve is checked where it is loaded. */
export function pointOf(element: XmlElement, length: number): Uint8Array {
  return requirePoint(element, hexOf(element), length);
}

export function requirePoint(element: XmlElement, octets: Uint8Array, length: number): Uint8Array {
  if (octets.length !== length) throw malformed(element, `expected ${length} octets, got ${octets.length}`);
  if (octets[0] !== 4) throw malformed(element, "not an uncompressed point (first octet 04)");
  return octets;
}

/** xsd:dateTime, UTC when it has no zone, in milliseconds since the Unix epoch. */
export function dateTimeOf(element: XmlElement): number {
  const time = parseDateTime(stringOf(element));
  if (time === undefined) throw malformed(element, "not a dateTime such as 2026-01-31T00:00:00Z");
  return time;
}
