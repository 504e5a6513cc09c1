/** Elements that are kept as they came, for those who understand them: as plain data, which a database stores as JSON. */
import type { XmlElement } from "./xml-reader.ts";
import { element, type XmlNode } from "./xml-writer.ts";

export interface XmlData {
  readonly local: string;
  readonly namespace: string;
  readonly attributes?: readonly XmlDataAttribute[];
  /** Elements below it, or its text; neither for an empty element. */
  readonly children?: readonly XmlData[];
  readonly text?: string;
}

export interface XmlDataAttribute {
  readonly local: string;
  /** Absent for an attribute without a prefix. */
  readonly namespace?: string;
  readonly value: string;
}

const XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace";

/** Comments, prefixes, and text between elements are not kept. */
export function xmlDataOf({ local, namespace, attributes, children, text }: XmlElement): XmlData {
  return {
    local,
    namespace,
    ...(attributes.length > 0 && {
      attributes: attributes.map((one) => ({
        local: one.local,
        ...(one.namespace !== "" && { namespace: one.namespace }),
        value: one.value,
      })),
    }),
    ...(children.length > 0 && { children: children.map(xmlDataOf) }),
    ...(children.length === 0 && text !== "" && { text }),
  };
}

/** `outer`: the default namespace where it is written. */
export function xmlDataNode(data: XmlData, outer: string): XmlNode {
  const { local, namespace, attributes = [], children, text = "" } = data;
  const all: Record<string, string> = namespace === outer ? {} : { xmlns: namespace };
  for (const [i, { local: name, namespace: of, value }] of attributes.entries()) {
    if (of === undefined) all[name] = value;
    else if (of === XML_NAMESPACE) all[`xml:${name}`] = value;
    else {
      all[`xmlns:a${i}`] = of;
      all[`a${i}:${name}`] = value;
    }
  }
  return element(
    local,
    all,
    children?.map((child) => xmlDataNode(child, namespace)) ?? (text === "" ? [] : text),
  );
}
