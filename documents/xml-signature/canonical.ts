/**
 * Canonical XML 1.0 (W3C REC-xml-c14n-20010315) of a document or of an element with all that is in it, and Exclusive
 * XML Canonicalization 1.0. There is no document type, so no default attributes and no other entities.
 */
import { utf8 } from "../../base/bytes.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import {
  type AttributeNode,
  type ChildNode,
  type DocumentNode,
  type ElementNode,
  resolvePrefix,
} from "./node-tree.ts";

export interface CanonicalForm {
  readonly comments?: boolean;
  /** Exclusive; the prefixes, "" for the default namespace, are those that are treated as in the inclusive form. */
  readonly exclusive?: { readonly inclusivePrefixes: ReadonlySet<string> };
  /** An element that is left out with all that is in it. */
  readonly without?: ElementNode;
}

const XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace";

/** @throws {MikeySakkeError} verification `XML_SIGNATURE_MALFORMED` for a relative namespace URI, which has no canonical form */
export function canonicalize(node: DocumentNode | ElementNode, form: CanonicalForm = {}): Uint8Array {
  const writer = new CanonicalWriter(form);
  if (node.type === "document") writer.document(node);
  else writer.element(node, true);
  return utf8(writer.parts.join(""));
}

class CanonicalWriter {
  readonly parts: string[] = [];
  readonly #form: CanonicalForm;
  /** Namespaces as the output has them at this place. */
  readonly #written = new Map<string, string>();

  constructor(form: CanonicalForm) {
    this.#form = form;
  }

  /** 2.3 "Processing instruction nodes": outside the root a line feed parts them from it. */
  document({ children, root }: DocumentNode): void {
    let after = false;
    for (const child of children) {
      if (child.type === "element") {
        this.element(root, true);
        after = true;
      } else {
        const leaf = this.#leaf(child);
        if (leaf !== "") this.parts.push(after ? `\n${leaf}` : `${leaf}\n`);
      }
    }
  }

  #leaf(node: Exclude<ChildNode, ElementNode>): string {
    if (node.type === "text") return escapeText(node.data);
    if (node.type === "comment") return this.#form.comments === true ? `<!--${node.data}-->` : "";
    return node.body === "" ? `<?${node.target}?>` : `<?${node.target} ${node.body}?>`;
  }

  /** `apex`: its ancestors are not in the output, so their namespaces and `xml:` attributes count as its own. */
  element(element: ElementNode, apex: boolean): void {
    if (element === this.#form.without) return;
    const before: [string, string | undefined][] = [];
    let tag = `<${element.name}`;
    for (const prefix of this.#prefixes(element, apex)) {
      const uri = resolvePrefix(element, prefix);
      if (uri === (this.#written.get(prefix) ?? "")) continue;
      requireAbsolute(uri);
      before.push([prefix, this.#written.get(prefix)]);
      this.#written.set(prefix, uri);
      tag += ` ${prefix === "" ? "xmlns" : `xmlns:${prefix}`}="${escapeAttribute(uri)}"`;
    }
    const attributes = apex && !this.#form.exclusive ? withInherited(element) : element.attributes;
    for (const { name, value } of attributes.toSorted(byName)) tag += ` ${name}="${escapeAttribute(value)}"`;
    this.parts.push(`${tag}>`);
    for (const child of element.children) {
      if (child.type === "element") this.element(child, false);
      else this.parts.push(this.#leaf(child));
    }
    this.parts.push(`</${element.name}>`);
    for (const [prefix, uri] of before) {
      if (uri === undefined) this.#written.delete(prefix);
      else this.#written.set(prefix, uri);
    }
  }

  /** The prefixes that the element may have to declare, in the order of 2.3 "Namespace axis". */
  #prefixes(element: ElementNode, apex: boolean): string[] {
    const { exclusive } = this.#form;
    const prefixes = new Set<string>();
    for (let at: ElementNode | undefined = element; at !== undefined; at = apex ? at.parent : undefined) {
      for (const prefix of at.declared.keys()) {
        if (exclusive === undefined || exclusive.inclusivePrefixes.has(prefix)) prefixes.add(prefix);
      }
    }
    if (exclusive !== undefined) {
      prefixes.add(element.prefix);
      for (const { name, local } of element.attributes) {
        if (name !== local) prefixes.add(name.slice(0, name.indexOf(":")));
      }
    }
    prefixes.delete("xml");
    return [...prefixes].sort(byCodePoint);
  }
}

/** 2.4: the attributes of an apex include the nearest `xml:` attributes of its ancestors. */
function withInherited(element: ElementNode): AttributeNode[] {
  const attributes = new Map<string, AttributeNode>();
  for (let at: ElementNode | undefined = element; at !== undefined; at = at.parent) {
    for (const a of at.attributes) {
      const counts = at === element || a.namespace === XML_NAMESPACE;
      if (counts && !attributes.has(a.name)) attributes.set(a.name, a);
    }
  }
  return [...attributes.values()];
}

/** 1.3: documents with relative namespace URIs must be refused. */
function requireAbsolute(uri: string): void {
  if (uri === "" || /^[A-Za-z][A-Za-z0-9+.-]*:\S*$/.test(uri)) return;
  throw new MikeySakkeError(
    "verification",
    "XML_SIGNATURE_MALFORMED",
    "XML document: a namespace URI that is not absolute has no canonical form",
  );
}

function byName(a: AttributeNode, b: AttributeNode): number {
  return byCodePoint(a.namespace, b.namespace) || byCodePoint(a.local, b.local);
}

const SURROGATES_AND_ABOVE = /[\ud800-\uffff]/;

/** Strings compare by UTF-16 units, which puts the surrogates of U+10000 and above before U+E000. */
function byCodePoint(a: string, b: string): number {
  if (a === b) return 0;
  if (!SURROGATES_AND_ABOVE.test(a) || !SURROGATES_AND_ABOVE.test(b)) return a < b ? -1 : 1;
  const [x, y] = [[...a], [...b]];
  const at = x.findIndex((c, i) => c !== y[i]);
  if (at < 0) return -1;
  return x[at]!.codePointAt(0)! - (y[at]?.codePointAt(0) ?? -1);
}

const REFERENCES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\t": "&#x9;",
  "\n": "&#xA;",
  "\r": "&#xD;",
};

function escapeText(text: string): string {
  return text.replace(/[&<>\r]/g, (c) => REFERENCES[c]!);
}

function escapeAttribute(value: string): string {
  return value.replace(/[&<"\t\n\r]/g, (c) => REFERENCES[c]!);
}
