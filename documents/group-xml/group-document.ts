/** Group documents (TS 24.481 7.2). */
import { defined } from "../../base/defined.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import { type XmlData, xmlDataNode, xmlDataOf } from "../xml/xml-data.ts";
import type { XmlElement } from "../xml/xml-reader.ts";
import { element, leaf, writeXml, type XmlNode } from "../xml/xml-writer.ts";
import {
  attribute,
  booleanOf,
  childrenOf,
  countOf,
  durationOf,
  malformed,
  optionalChild,
  parseRoot,
  requireAtMost,
  requiredAttribute,
  requiredChild,
  textOf,
  uriAttribute,
} from "./fields.ts";
import {
  DOCUMENT_LIMITS,
  GROUP_INFO_NAMESPACE,
  GROUP_NAMESPACE,
  GROUP_XML_LIMITS,
  XDM_EXTENSIONS_NAMESPACE,
} from "./names.ts";

/** Elements that say whether something is protected (TS 24.481 7.2.8); an absent one means true. */
export const PROTECTION_ELEMENTS = [
  "protect-media",
  "protect-floor-control-signalling",
  "mcdata-protect-media",
  "mcdata-protect-transmission-control",
  "mcvideo-protect-media",
  "mcvideo-protect-transmission-control",
] as const;

export type GroupService = "mcptt" | "mcvideo" | "mcdata";

/** An entry of the list of members. */
export interface GroupEntry {
  /** MC service ID. */
  readonly uri: string;
  /** `user-priority`, from 0 to 255: priority of floor requests. */
  readonly priority?: number;
  /** Elements that are not read here. */
  readonly extensions?: readonly XmlData[];
}

export interface GroupDocument {
  /** MC service group ID. */
  readonly uri: string;
  readonly displayName: string;
  /** Undefined: a document without list (6.3.16). */
  readonly members?: readonly GroupEntry[];
  /** Services that the group supports. */
  readonly services: readonly GroupService[];
  /** The elements of PROTECTION_ELEMENTS that are false. */
  readonly unprotected: readonly string[];
  readonly inviteMembers?: boolean;
  readonly priority?: number;
  /** How many may be in a call of the group. */
  readonly maxParticipants?: number;
  /** Seconds without anybody who talks after which a prearranged call ends (T4 of TS 24.380). */
  readonly hangTimer?: number;
  readonly voiceEncodings?: readonly string[];
  /** Elements of the list service that are not read here, as rulesets are. */
  readonly extensions?: readonly XmlData[];
}

/** Names of the elements that are read, by namespace; others are extensions. */
const READ: Readonly<Record<string, readonly string[]>> = {
  [GROUP_NAMESPACE]: ["display-name", "list"],
  [XDM_EXTENSIONS_NAMESPACE]: ["supported-services"],
  [GROUP_INFO_NAMESPACE]: [
    "on-network-invite-members",
    "on-network-group-priority",
    "on-network-max-participant-count",
    "on-network-hang-timer",
    "preferred-voice-encodings",
    ...PROTECTION_ELEMENTS,
  ],
};

const ICSI = "urn:urn-7:3gpp-service.ims.icsi.";

/** Media of a service, where the schema has an element for it. */
const GROUP_MEDIA: Readonly<Record<GroupService, string | undefined>> = {
  mcptt: "mcptt-speech",
  mcvideo: "mcvideo-video-media",
  mcdata: undefined,
};

/** @throws {MikeySakkeError} usage `BAD_GROUP_DOCUMENT` for an unknown protection element, `BAD_XML_TEXT` */
export function writeGroupDocument(group: GroupDocument): string {
  const unknown = group.unprotected.find((name) => !isProtectionElement(name));
  if (unknown !== undefined) {
    throw new MikeySakkeError("usage", "BAD_GROUP_DOCUMENT", `group document: no element ${unknown}`);
  }
  const { members, services, voiceEncodings, hangTimer, extensions = [] } = group;
  const entries = members?.map((entry) =>
    element("entry", { uri: entry.uri }, [
      leaf("mcpttgi:user-priority", entry.priority),
      ...(entry.extensions ?? []).map((one) => xmlDataNode(one, GROUP_NAMESPACE)),
    ]),
  );
  const encodings = voiceEncodings?.map((name) => element("mcpttgi:encoding", { name }, []));
  return writeXml(
    element(
      "group",
      {
        xmlns: GROUP_NAMESPACE,
        "xmlns:oxe": XDM_EXTENSIONS_NAMESPACE,
        "xmlns:mcpttgi": GROUP_INFO_NAMESPACE,
      },
      [
        element("list-service", { uri: group.uri }, [
          leaf("display-name", group.displayName),
          entries && element("list", {}, entries),
          services.length === 0
            ? undefined
            : element("oxe:supported-services", {}, services.map(serviceNode)),
          leaf("mcpttgi:on-network-invite-members", group.inviteMembers),
          leaf("mcpttgi:on-network-group-priority", group.priority),
          leaf("mcpttgi:on-network-max-participant-count", group.maxParticipants),
          leaf("mcpttgi:on-network-hang-timer", hangTimer === undefined ? undefined : `PT${hangTimer}S`),
          encodings && element("mcpttgi:preferred-voice-encodings", {}, encodings),
          ...PROTECTION_ELEMENTS.filter((name) => group.unprotected.includes(name)).map((name) =>
            leaf(`mcpttgi:${name}`, false),
          ),
          ...extensions.map((one) => xmlDataNode(one, GROUP_NAMESPACE)),
        ]),
      ],
    ),
  );
}

function isProtectionElement(name: string): boolean {
  return (PROTECTION_ELEMENTS as readonly string[]).includes(name);
}

function serviceNode(service: GroupService): XmlNode {
  const media = GROUP_MEDIA[service];
  return element("oxe:service", { enabler: `${ICSI}${service}` }, [
    media === undefined ? undefined : element("oxe:group-media", {}, [element(`mcpttgi:${media}`, {}, [])]),
  ]);
}

/**
 * Reads a group document. Elements that it does not know are kept as extensions.
 *
 * @throws {MikeySakkeError} codec: as `readGktpDocument`; `GROUP_XML_DUPLICATE` also for a member that is listed twice
 */
export function readGroupDocument(document: string | Uint8Array): GroupDocument {
  const root = parseRoot(document, GROUP_NAMESPACE, "group", DOCUMENT_LIMITS);
  const source = requiredChild(root, "list-service");
  const info = <T>(local: string, read: (e: XmlElement) => T): T | undefined => {
    const child = optionalChild(source, local, GROUP_INFO_NAMESPACE);
    return child === undefined ? undefined : read(child);
  };
  const name = optionalChild(source, "display-name");
  const list = optionalChild(source, "list");
  return {
    uri: uriAttribute(source, "uri"),
    displayName: name === undefined ? "" : textOf(name),
    services: readServices(source),
    unprotected: PROTECTION_ELEMENTS.filter((local) => info(local, booleanOf) === false),
    ...defined({
      members: list && readMembers(list),
      inviteMembers: info("on-network-invite-members", booleanOf),
      priority: info("on-network-group-priority", countOf),
      maxParticipants: info("on-network-max-participant-count", countOf),
      hangTimer: info("on-network-hang-timer", durationOf),
      voiceEncodings: info("preferred-voice-encodings", (e) =>
        childrenOf(e, "encoding").map((encoding) => requiredAttribute(encoding, "name")),
      ),
      extensions: extensionsOf(source, READ),
    }),
  };
}

function readMembers(list: XmlElement): NonNullable<GroupDocument["members"]> {
  const entries = childrenOf(list, "entry");
  requireAtMost(list, entries.length, GROUP_XML_LIMITS.groupMembers, "members");
  const seen = new Set<string>();
  return entries.map((entry) => {
    const uri = uriAttribute(entry, "uri");
    if (seen.has(uri)) throw malformed(entry, "this member is listed before", "GROUP_XML_DUPLICATE");
    seen.add(uri);
    const priority = optionalChild(entry, "user-priority", GROUP_INFO_NAMESPACE);
    const known = { [GROUP_INFO_NAMESPACE]: ["user-priority"] };
    return {
      uri,
      ...defined({ priority: priority && countOf(priority), extensions: extensionsOf(entry, known) }),
    };
  });
}

function extensionsOf(
  source: XmlElement,
  known: Readonly<Record<string, readonly string[]>>,
): readonly XmlData[] | undefined {
  const others = source.children.filter(({ local, namespace }) => !known[namespace]?.includes(local));
  const kept = others.map(xmlDataOf);
  requireAtMost(
    source,
    JSON.stringify(kept).length,
    GROUP_XML_LIMITS.extensionLength,
    "characters of extensions",
  );
  return kept.length === 0 ? undefined : kept;
}

/** By the ICSI of the enabler, which MCData has several of (`….icsi.mcdata.sds`). Unknown services are passed over. */
function readServices(source: XmlElement): GroupService[] {
  const supported = optionalChild(source, "supported-services", XDM_EXTENSIONS_NAMESPACE);
  const found = new Set<GroupService>();
  for (const service of supported === undefined ? [] : childrenOf(supported, "service")) {
    const enabler = attribute(service, "enabler")?.trim() ?? "";
    const name = enabler.startsWith(ICSI) ? enabler.slice(ICSI.length).split(".", 1)[0]! : "";
    if (Object.hasOwn(GROUP_MEDIA, name)) found.add(name as GroupService);
  }
  return [...found];
}
