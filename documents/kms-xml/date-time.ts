/** xsd:dateTime, as the KMS documents write times. */
import { formatDateTime } from "../xml/date-time.ts";
import { leaf, type XmlNode } from "../xml/xml-writer.ts";

/** A leaf of type xsd:dateTime from milliseconds since the Unix epoch. */
export function timeLeaf(name: string, time: number | undefined): XmlNode | undefined {
  return leaf(name, time === undefined ? undefined : formatDateTime(time));
}
