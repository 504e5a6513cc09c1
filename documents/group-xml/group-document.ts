/** Group documents (TS 24.481 7.2). */
import { defined } from "../../base/defined.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import type { XmlElement } from "../xml/xml-reader.ts";
import { element, leaf, writeXml, type XmlNode } from "../xml/xml-writer.ts";
import {
  attribute,
  booleanOf,
  childrenOf,
  countOf,
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

export interface GroupDocument {
  /** MC service group ID. */
  readonly uri: string;
  readonly displayName: string;
  /** MC service IDs of the members, with their floor priorities; undefined: a document without list (6.3.16). */
  readonly members?: readonly { readonly uri: string; readonly priority?: number }[];
  /** Services that the group supports. */
  readonly services: readonly GroupService[];
  /** The elements of PROTECTION_ELEMENTS that are false. */
  readonly unprotected: readonly string[];
  readonly inviteMembers?: boolean;
  readonly priority?: number;
  readonly voiceEncodings?: readonly string[];
}

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
  const { members, services, voiceEncodings } = group;
  const entries = members?.map(({ uri, priority }) =>
    element("entry", { uri }, [leaf("mcpttgi:user-priority", priority)]),
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
          encodings && element("mcpttgi:preferred-voice-encodings", {}, encodings),
          ...PROTECTION_ELEMENTS.filter((name) => group.unprotected.includes(name)).map((name) =>
            leaf(`mcpttgi:${name}`, false),
          ),
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
 * Reads a group document. What is not in GroupDocument is passed over.
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
      voiceEncodings: info("preferred-voice-encodings", (e) =>
        childrenOf(e, "encoding").map((encoding) => requiredAttribute(encoding, "name")),
      ),
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
    return { uri, ...(priority !== undefined && { priority: countOf(priority) }) };
  });
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
