/** Why an XCAP request met a conflict (RFC 4825 11). */
import { defined } from "../../base/defined.ts";
import { element, leaf, writeXml } from "../xml/xml-writer.ts";
import { attribute, childrenOf, malformed, optionalChild, parseRoot, textOf } from "./fields.ts";
import { SMALL_DOCUMENT_LIMITS, XCAP_ERROR_NAMESPACE } from "./names.ts";

export const XCAP_CONDITIONS = [
  "not-well-formed",
  "not-xml-frag",
  "no-parent",
  "schema-validation-error",
  "not-xml-att-value",
  "cannot-insert",
  "cannot-delete",
  "uniqueness-failure",
  "constraint-failure",
  "extension",
  "not-utf-8",
] as const;
export type XcapCondition = (typeof XCAP_CONDITIONS)[number];

export interface XcapError {
  readonly condition: XcapCondition;
  /** For people. */
  readonly phrase?: string;
  /** no-parent: URI of the closest ancestor that exists. */
  readonly ancestor?: string;
  /** uniqueness-failure: values that are taken, by their place in the document, and others that are free. */
  readonly exists?: readonly { readonly field: string; readonly alternatives: readonly string[] }[];
}

export function writeXcapError({ condition, phrase, ancestor, exists = [] }: XcapError): string {
  const details = [
    leaf("ancestor", ancestor),
    ...exists.map(({ field, alternatives }) =>
      element(
        "exists",
        { field },
        alternatives.map((value) => leaf("alt-value", value)),
      ),
    ),
  ];
  return writeXml(
    element("xcap-error", { xmlns: XCAP_ERROR_NAMESPACE }, [element(condition, { phrase }, details)]),
  );
}

/** @throws {MikeySakkeError} codec: as `readGktpDocument` */
export function readXcapError(document: string | Uint8Array): XcapError {
  const root = parseRoot(document, XCAP_ERROR_NAMESPACE, "xcap-error", SMALL_DOCUMENT_LIMITS);
  const source = root.children.find((c) => c.namespace === root.namespace);
  const condition = XCAP_CONDITIONS.find((name) => name === source?.local);
  if (source === undefined || condition === undefined) {
    throw malformed(root, "no condition that RFC 4825 has", "GROUP_XML_MISSING");
  }
  const ancestor = optionalChild(source, "ancestor");
  const exists = childrenOf(source, "exists").map((e) => ({
    field: attribute(e, "field") ?? "",
    alternatives: childrenOf(e, "alt-value").map(textOf),
  }));
  return {
    condition,
    ...defined({
      phrase: attribute(source, "phrase"),
      ancestor: ancestor && textOf(ancestor),
      exists: exists.length === 0 ? undefined : exists,
    }),
  };
}
