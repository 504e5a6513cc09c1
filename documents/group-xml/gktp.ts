/** Documents of group key transport payloads (TS 24.481 7.7): I_MESSAGEs that carry GMKs. */
import { toHex } from "../../base/bytes.ts";
import { defined } from "../../base/defined.ts";
import { formatDateTime, parseDateTime } from "../xml/date-time.ts";
import type { XmlElement } from "../xml/xml-reader.ts";
import { element, writeXml, type XmlNode } from "../xml/xml-writer.ts";
import {
  attribute,
  hexOf,
  malformed,
  optionalChild,
  parseRoot,
  requireAtMost,
  requiredAttribute,
  uriAttribute,
} from "./fields.ts";
import { DOCUMENT_LIMITS, GKTP_NAMESPACE, GROUP_XML_LIMITS } from "./names.ts";

const REGROUPED = "on-network-regrouped-GKTPs";
const TEMPORARY = "temporary-MCPTT-group-ID";

export interface GktpEntry {
  /** The addressee: MC service user ID of a member, or URI of a server. */
  readonly id: string;
  /** Milliseconds since the Unix epoch. The time in the key parameters, which are protected, is the one that counts. */
  readonly activationTime?: number;
  /** The I_MESSAGE. */
  readonly octets: Uint8Array;
  /** Temporary MC service group ID, of a key for regrouped groups. */
  readonly temporaryGroup?: string;
}

/**
 * A document with these entries under GMK-GKTPs, those of temporary groups last, as the schema wants it.
 *
 * @throws {MikeySakkeError} usage `BAD_XML_TEXT` or `BAD_TIME`
 */
export function writeGktpDocument(entries: readonly GktpEntry[]): string {
  const ordinary = entries.filter(({ temporaryGroup }) => temporaryGroup === undefined);
  const regrouped = new Map<string, GktpEntry[]>();
  for (const entry of entries) {
    if (entry.temporaryGroup === undefined) continue;
    const list = regrouped.get(entry.temporaryGroup);
    if (list === undefined) regrouped.set(entry.temporaryGroup, [entry]);
    else list.push(entry);
  }
  const nodes = [...regrouped].map(([group, list]) =>
    element(
      REGROUPED,
      { [TEMPORARY]: group },
      list.map((entry) => gktpNode(entry)),
    ),
  );
  return writeXml(
    element("GKTPs", { xmlns: GKTP_NAMESPACE }, [
      element("GMK-GKTPs", {}, [...ordinary.map((entry) => gktpNode(entry)), ...nodes]),
    ]),
  );
}

export function gktpNode({ id, activationTime, octets }: GktpEntry, xmlns?: string): XmlNode {
  const activationtime = activationTime === undefined ? undefined : formatDateTime(activationTime);
  return element("GKTP", { xmlns, id, activationtime }, toHex(octets).toUpperCase());
}

/**
 * The entries under GMK-GKTPs, in the order of the document. MKFC-GKTPs and extensions are passed over.
 *
 * @throws {MikeySakkeError} codec: those of `parseXml`, `GROUP_XML_ROOT`, `GROUP_XML_MISSING`, `GROUP_XML_DUPLICATE`,
 * `GROUP_XML_VALUE`, `GROUP_XML_LIMIT`
 */
export function readGktpDocument(document: string | Uint8Array): GktpEntry[] {
  const root = parseRoot(document, GKTP_NAMESPACE, "GKTPs", DOCUMENT_LIMITS);
  const list = optionalChild(root, "GMK-GKTPs");
  if (list === undefined) return [];
  const found: { source: XmlElement; temporaryGroup?: string }[] = [];
  for (const child of list.children) {
    if (child.namespace !== GKTP_NAMESPACE) continue;
    if (child.local === "GKTP") found.push({ source: child });
    if (child.local !== REGROUPED) continue;
    const temporaryGroup = uriAttribute(child, TEMPORARY);
    for (const source of child.children) {
      if (source.namespace === GKTP_NAMESPACE && source.local === "GKTP")
        found.push({ source, temporaryGroup });
    }
  }
  requireAtMost(list, found.length, GROUP_XML_LIMITS.gktpEntries, "GKTP elements");
  return found.map(({ source, ...rest }) => ({ ...readGktp(source), ...rest }));
}

export function readGktp(source: XmlElement): GktpEntry {
  const id = requiredAttribute(source, "id");
  requireAtMost(source, id.length, GROUP_XML_LIMITS.uriLength, "characters in id");
  const time = attribute(source, "activationtime");
  const activationTime = time === undefined ? undefined : parseDateTime(time.trim());
  if (time !== undefined && activationTime === undefined) {
    throw malformed(source, "activationtime is not a dateTime such as 2026-01-31T00:00:00Z");
  }
  return { id, ...defined({ activationTime }), octets: hexOf(source, GROUP_XML_LIMITS.messageOctets) };
}
