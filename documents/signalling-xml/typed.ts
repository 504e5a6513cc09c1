/** Elements whose attribute `type` says whether their value is in clear (TS 24.379 F.1, TS 24.281 and 24.282 alike). */
import { parseBoolean, trimmed } from "../xml/values.ts";
import { type ElementNode, elementsOf, textOf } from "../xml-signature/node-tree.ts";
import { MAX_TYPED_ELEMENTS, XENC_NAMESPACE } from "./names.ts";
import { allElements, hasText, type Replacement } from "./tree.ts";

const VALUE = /^(?:mcptt|mcvideo|mcdata)(URI|String|Boolean)$/;

export interface TypedElement {
  readonly element: ElementNode;
  /** The value in clear, or the EncryptedData. */
  readonly content: ElementNode;
  readonly encrypted: boolean;
}

/**
 * The typed elements of a document, in its order. Without `type` a value counts as Normal, or whoever takes the
 * attribute away would have the value read.
 */
export function typedElements(
  root: ElementNode,
  malformed: (path: string, what: string) => Error,
): TypedElement[] {
  const found: TypedElement[] = [];
  for (const element of allElements(root)) {
    if (!element.namespace.startsWith("urn:3gpp:ns:")) continue;
    const fail = (what: string) => malformed(element.local, what);
    const type = typeOf(element);
    const children = elementsOf(element);
    const value = children.find((child) => isValue(child, element));
    const sealed = children.find(isEncryptedData);
    if (value === undefined && sealed === undefined && type !== "Encrypted") continue;
    const content = children[0]!;
    if (children.length !== 1 || hasText(element)) throw fail("not exactly one value inside");
    if (type !== undefined && type !== "Normal" && type !== "Encrypted") throw fail("unknown type");
    const encrypted = type === "Encrypted";
    if (encrypted !== (sealed !== undefined)) throw fail("type and content do not go together");
    if (!encrypted && !isProperValue(content)) throw fail("not a value of its kind");
    if (found.length === MAX_TYPED_ELEMENTS) throw fail(`more than ${MAX_TYPED_ELEMENTS} values`);
    found.push({ element, content, encrypted });
  }
  return found;
}

/** Returns whether an element is a value of the kind that its name says, in the namespace of the element around it. */
export function isValueOf(content: ElementNode, element: ElementNode): boolean {
  return isValue(content, element) && isProperValue(content);
}

export function withContent(
  element: ElementNode,
  type: "Normal" | "Encrypted",
  content: ElementNode,
): Replacement {
  const others = element.attributes.filter(({ name }) => name !== "type");
  return { attributes: [...others, { name: "type", local: "type", namespace: "", value: type }], content };
}

export function isEncryptedData({ local, namespace }: ElementNode): boolean {
  return local === "EncryptedData" && namespace === XENC_NAMESPACE;
}

function typeOf(element: ElementNode): string | undefined {
  const value = element.attributes.find(({ name }) => name === "type")?.value;
  return value === undefined ? undefined : trimmed(value);
}

function isValue(content: ElementNode, element: ElementNode): boolean {
  return content.namespace === element.namespace && VALUE.test(content.local);
}

function isProperValue(content: ElementNode): boolean {
  const kind = VALUE.exec(content.local)?.[1];
  if (kind === undefined || elementsOf(content).length > 0) return false;
  const text = textOf(content);
  if (kind === "Boolean") return parseBoolean(trimmed(text)) !== undefined;
  return kind === "String" || /^\S+$/.test(trimmed(text));
}
