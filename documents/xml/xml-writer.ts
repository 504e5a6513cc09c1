/** Writes element trees as UTF-8 XML 1.0, indented by two spaces. */
import { MikeySakkeError } from "../../base/errors.ts";

export type XmlAttributes = Readonly<Record<string, string | undefined>>;

export interface XmlNode {
  readonly name: string;
  readonly attributes: XmlAttributes;
  readonly content: string | readonly XmlNode[];
}

/** An element with character data or with children; children and attributes that are undefined are left out. */
export function element(
  name: string,
  attributes: XmlAttributes,
  content: string | readonly (XmlNode | undefined)[],
): XmlNode {
  return {
    name,
    attributes,
    content: typeof content === "string" ? content : content.filter((node) => node !== undefined),
  };
}

/** A leaf without attributes, or nothing when there is no value. */
export function leaf(name: string, value: string | number | boolean | undefined): XmlNode | undefined {
  return value === undefined ? undefined : element(name, {}, String(value));
}

export function writeXml(root: XmlNode): string {
  const lines = ['<?xml version="1.0" encoding="UTF-8"?>'];
  writeNode(root, "", lines);
  return `${lines.join("\n")}\n`;
}

function writeNode(node: XmlNode, indent: string, lines: string[]): void {
  let start = `${indent}<${node.name}`;
  for (const [name, value] of Object.entries(node.attributes)) {
    if (value !== undefined) start += ` ${name}="${escapeXml(value)}"`;
  }
  if (typeof node.content === "string") {
    lines.push(`${start}>${escapeXml(node.content)}</${node.name}>`);
  } else if (node.content.length === 0) {
    lines.push(`${start}/>`);
  } else {
    lines.push(`${start}>`);
    for (const child of node.content) writeNode(child, `${indent}  `, lines);
    lines.push(`${indent}</${node.name}>`);
  }
}

const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** A text that is written as it is: ASCII without control characters and without the characters of `ESCAPES`. */
const PLAIN = /^[ !#-%'-;=?-~]*$/;

/** White space other than the blank is written by number, or a reader would normalise it in an attribute. */
export function escapeXml(text: string): string {
  if (PLAIN.test(text)) return text;
  // XML 1.0 production 2: these characters cannot be written, not even by number.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\p{Surrogate}]/u.test(text)) {
    throw new MikeySakkeError("usage", "BAD_XML_TEXT", "XML: the text has characters that XML cannot carry");
  }
  return text.replace(/[&<>"\t\n\r]/g, (c) => ESCAPES[c] ?? `&#${c.charCodeAt(0)};`);
}
