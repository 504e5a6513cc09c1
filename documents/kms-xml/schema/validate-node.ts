/**
 * Validates KMS documents against the schema with libxml2, which is WebAssembly of some size and is loaded when it is
 * asked for. For servers and tests; clients have the checks of the reader.
 */
import type { ErrorDetail, XmlDocument, XsdValidator } from "libxml2-wasm";
import { fromUtf8 } from "../../../base/bytes.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import { parseXml, type XmlLimits } from "../../xml/xml-reader.ts";
import { DSIG_NAMESPACE, XENC_NAMESPACE } from "../fields.ts";
import { KMS_INTERFACE_XSD } from "./kms-interface.ts";
import { XENC_XSD } from "./xenc.ts";
import { XMLDSIG_XSD } from "./xmldsig.ts";

type LibXml2 = typeof import("libxml2-wasm");

/** The compiled schemas. They take memory of libxml2 until `dispose`. */
export class KmsSchema {
  readonly #libxml2: LibXml2;
  readonly #document: XsdValidator;
  /** For the elements of other namespaces, by what finds the outermost of them. */
  readonly #parts: readonly (readonly [string, XsdValidator])[];

  private constructor(libxml2: LibXml2) {
    this.#libxml2 = libxml2;
    this.#document = this.#compile(KMS_INTERFACE_XSD);
    this.#parts = [
      [outermost(DSIG_NAMESPACE), this.#compile(XMLDSIG_XSD)],
      [outermost(XENC_NAMESPACE), this.#compile(XENC_XSD)],
    ];
  }

  static async load(): Promise<KmsSchema> {
    return new KmsSchema(await import("libxml2-wasm"));
  }

  /**
   * Refuses a document that is not valid. Limits are those of the reader, and come first.
   *
   * @throws {MikeySakkeError} codec `XML_SCHEMA`, with line and what is wrong, never content; the codes of `parseXml`
   */
  validate(document: string | Uint8Array, limits?: Partial<XmlLimits>): void {
    parseXml(document, limits);
    const text = typeof document === "string" ? document : fromUtf8(document, "XML document");
    const parsed = this.#parse(text);
    try {
      this.#document.validate(parsed);
      for (const [path, schema] of this.#parts) {
        for (const node of parsed.find(path)) {
          if (node instanceof this.#libxml2.XmlElement) schema.validate(node);
        }
      }
    } catch (error) {
      throw this.#refusal(error);
    } finally {
      parsed.dispose();
    }
  }

  dispose(): void {
    this.#document.dispose();
    for (const [, schema] of this.#parts) schema.dispose();
  }

  #compile(xsd: string): XsdValidator {
    const parsed = this.#parse(xsd);
    try {
      return this.#libxml2.XsdValidator.fromDoc(parsed);
    } finally {
      parsed.dispose();
    }
  }

  #parse(text: string): XmlDocument {
    const { ParseOption, XmlDocument } = this.#libxml2;
    const option = ParseOption.XML_PARSE_NONET | ParseOption.XML_PARSE_NO_XXE;
    try {
      return XmlDocument.fromString(text.replace(/^\ufeff/, ""), { option });
    } catch (error) {
      throw this.#refusal(error);
    }
  }

  #refusal(error: unknown): unknown {
    if (!(error instanceof this.#libxml2.XmlLibError)) return error;
    const [first] = error.details;
    const where = first === undefined ? "" : ` line ${first.line}:`;
    return new MikeySakkeError("codec", "XML_SCHEMA", `KMS document:${where} ${reasonOf(first)}`);
  }
}

/** As `KmsSchema`, once. */
export async function validateKmsDocument(document: string | Uint8Array): Promise<void> {
  const schema = await KmsSchema.load();
  try {
    schema.validate(document);
  } finally {
    schema.dispose();
  }
}

function outermost(namespace: string): string {
  return `//*[namespace-uri()='${namespace}' and namespace-uri(..)!='${namespace}']`;
}

/** libxml2 quotes values, which may be keys. Names of elements and attributes stand before the first colon. */
function reasonOf(detail: ErrorDetail | undefined): string {
  const text = detail?.message.trim() ?? "not valid";
  const named = text.replace(/\{[^{}]*\}/g, "");
  return VALUES.reduce((rest, [before, after, instead]) => without(rest, before, after, instead), named);
}

/** The texts before and after a value that libxml2 quotes, and the one that stands in place of all three. */
const VALUES = [
  [": '", "' is not a valid value", ": not a valid value"],
  ["The value '", "' is not", "The value is not"],
  ["The value '", "' does not", "The value does not"],
  ["The value '", "' has", "The value has"],
] as const;

/** Puts `instead` in place of everything from the first `before` to the last `after`. */
function without(text: string, before: string, after: string, instead: string): string {
  const start = text.indexOf(before);
  const end = text.lastIndexOf(after);
  if (start < 0 || end < start + before.length) return text;
  return text.slice(0, start) + instead + text.slice(end + after.length);
}
