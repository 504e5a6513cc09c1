/** Typed access to elements of group management. Every error names the path of the element it is about. */
import { fromHex } from "../../base/bytes.ts";
import { type ErrorCode, MikeySakkeError } from "../../base/errors.ts";
import { parseBoolean, trimmed } from "../xml/values.ts";
import { parseXml, type XmlElement, type XmlLimits } from "../xml/xml-reader.ts";
import { GROUP_XML_LIMITS } from "./names.ts";

export function malformed(
  element: XmlElement,
  what: string,
  code: ErrorCode = "GROUP_XML_VALUE",
): MikeySakkeError {
  return new MikeySakkeError("codec", code, `${element.path}: ${what}`);
}

/** Parses a document whose root must be this element. */
export function parseRoot(
  document: string | Uint8Array,
  namespace: string,
  local: string,
  limits: Partial<XmlLimits>,
): XmlElement {
  const root = parseXml(document, limits);
  if (root.namespace !== namespace || root.local !== local) {
    throw malformed(root, `the root is not ${local} of ${namespace}`, "GROUP_XML_ROOT");
  }
  return root;
}

/** The children of that name in the parent's namespace; all others are extensions. */
export function childrenOf(parent: XmlElement, local: string, namespace = parent.namespace): XmlElement[] {
  return parent.children.filter((c) => c.local === local && c.namespace === namespace);
}

export function optionalChild(parent: XmlElement, local: string, namespace?: string): XmlElement | undefined {
  const found = childrenOf(parent, local, namespace);
  if (found.length > 1) throw malformed(parent, `more than one ${local}`, "GROUP_XML_DUPLICATE");
  return found[0];
}

export function requiredChild(parent: XmlElement, local: string, namespace?: string): XmlElement {
  const found = optionalChild(parent, local, namespace);
  if (found === undefined) throw malformed(parent, `${local} is missing`, "GROUP_XML_MISSING");
  return found;
}

export function attribute(element: XmlElement, local: string): string | undefined {
  return element.attributes.find((a) => a.local === local && a.namespace === "")?.value;
}

export function requiredAttribute(element: XmlElement, local: string): string {
  const value = attribute(element, local);
  if (value === undefined) throw malformed(element, `attribute ${local} is missing`, "GROUP_XML_MISSING");
  return value;
}

/** A URI or a selector: neither empty nor longer than the limit. */
export function uriAttribute(element: XmlElement, local: string): string {
  const value = trimmed(requiredAttribute(element, local));
  if (value === "") throw malformed(element, `attribute ${local} is empty`);
  requireAtMost(element, value.length, GROUP_XML_LIMITS.uriLength, `characters in ${local}`);
  return value;
}

export function requireAtMost(element: XmlElement, count: number, limit: number, what: string): void {
  if (count > limit) throw malformed(element, `more than ${limit} ${what}`, "GROUP_XML_LIMIT");
}

/** Character data of an element without children, white space at its ends left out. May be empty. */
export function textOf(element: XmlElement): string {
  if (element.children.length > 0) throw malformed(element, "unexpected elements inside");
  return trimmed(element.text);
}

export function booleanOf(element: XmlElement): boolean {
  const value = parseBoolean(textOf(element));
  if (value === undefined) throw malformed(element, "not true or false");
  return value;
}

/** A whole number that is not negative. */
export function countOf(element: XmlElement): number {
  const text = textOf(element);
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw malformed(element, "not a whole number");
  return value;
}

/** Seconds of an xs:duration of days, hours, minutes and seconds; parts of a second count as one. */
export function durationOf(element: XmlElement): number {
  const text = textOf(element);
  const match = /^P(?:(\d{1,5})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9}(?:\.\d+)?)S)?)?$/.exec(text);
  if (match === null || /^P$|T$/.test(text))
    throw malformed(element, "not a duration of days, hours, minutes and seconds");
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part) => Number(part ?? 0));
  return Math.ceil(((days * 24 + hours) * 60 + minutes) * 60 + seconds);
}

/** xs:hexBinary, not empty; white space inside is passed over. Its content is never quoted. */
export function hexOf(element: XmlElement, maxOctets: number): Uint8Array {
  const text = textOf(element).replace(/[\t\n\r ]+/g, "");
  if (text === "") throw malformed(element, "empty");
  requireAtMost(element, text.length, 2 * maxOctets, "hex digits");
  try {
    return fromHex(text, "hexBinary");
  } catch (cause) {
    if (cause instanceof MikeySakkeError && cause.code !== "BAD_HEX") throw cause;
    throw malformed(element, "not an even number of hex digits");
  }
}
