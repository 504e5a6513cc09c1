/** The documents of XCAP, made from what the store has. */
import { createHash } from "node:crypto";
import { defined } from "../../../base/defined.ts";
import {
  type GroupDocument,
  type GroupEntry,
  gktpGroupPath,
  gktpUserPath,
  groupDocumentPath,
  MEDIA,
  writeGktpDocument,
  writeGroupDocument,
  writeXcapCaps,
  writeXcapDiff,
  type XcapDiffDocument,
  type XcapPath,
} from "../../../documents/group-xml/index.ts";
import type { GktpRecord, GroupRecord, GroupSettings } from "../../../store/gms/records.ts";
import { gktpEtagOf, groupEtag } from "../common/etags.ts";
import { ownMessages, visibleGroup } from "./access.ts";
import type { Exchange, XcapContext } from "./exchange.ts";

export interface XcapDocument {
  /** Without quotes. */
  readonly etag: string;
  readonly contentType: string;
  readonly cacheControl: string;
  /**
   * Made when it is asked for: a condition may settle the request before. Undefined: the document is another by now, and
   * has to be read again.
   */
  text(): Promise<string | undefined>;
  /** I_MESSAGEs in it. */
  readonly messages: readonly GktpRecord[];
}

const PAGE = 1000;
/** Keys are not to lie about, nor what tells who is in a group. */
const NO_STORE = "no-store";

/** The document that a path names, for whoever asks. */
export async function documentOf(exchange: Exchange, context: XcapContext): Promise<XcapDocument> {
  const { path } = exchange;
  switch (path.kind) {
    case "group":
      return groupDocument((await visibleGroup(exchange, path.group, context)).group, context);
    case "gktp-user":
    case "gktp-group":
      return gktpDocument(await ownMessages(exchange, path, context));
    case "caps":
      return plain(MEDIA.xcapCaps, writeXcapCaps());
    default:
      return collection(exchange, path, context);
  }
}

/** Without the list when `members` is false (TS 24.481 6.3.16). */
export function groupDocument(group: GroupRecord, context: XcapContext, members = true): XcapDocument {
  return {
    etag: groupEtag(group.revision),
    contentType: MEDIA.group,
    cacheControl: NO_STORE,
    messages: [],
    async text() {
      const { uri, settings } = group;
      const document = { uri, ...documentSettings(settings) };
      if (!members) return writeGroupDocument(document);
      const listed = await listedMembers(uri, context);
      const present = (await context.store.revisions([uri])).get(uri);
      return present === group.revision ? writeGroupDocument({ ...document, members: listed }) : undefined;
    },
  };
}

/** The settings of a group that its document shows. */
function documentSettings(settings: GroupSettings): Omit<GroupDocument, "uri" | "members"> {
  const { displayName, services, unprotected } = settings;
  const { inviteMembers, priority, maxParticipants, hangTimer, voiceEncodings, extensions } = settings;
  return {
    displayName,
    services,
    unprotected,
    ...defined({
      inviteMembers,
      priority,
      maxParticipants,
      hangTimer,
      voiceEncodings,
      extensions: xmlOf(extensions),
    }),
  };
}

/** The store has it from a document that was put. */
function xmlOf(stored: GroupSettings["extensions"]): GroupDocument["extensions"] {
  return stored as GroupDocument["extensions"];
}

function gktpDocument(records: readonly GktpRecord[]): XcapDocument {
  return {
    etag: gktpEtagOf(records),
    contentType: MEDIA.gktp,
    cacheControl: NO_STORE,
    messages: records,
    text: async () =>
      writeGktpDocument(
        records.map(({ memberUri, activation, octets }) => ({
          id: memberUri,
          activationTime: activation,
          octets,
        })),
      ),
  };
}

function plain(contentType: string, text: string): XcapDocument {
  const etag = createHash("sha256").update(text).digest("hex").slice(0, 32);
  return { etag, contentType, cacheControl: NO_STORE, messages: [], text: async () => text };
}

/** Servers that get the key are no members in the sense of the document. */
async function listedMembers(groupUri: string, { store }: XcapContext): Promise<GroupEntry[]> {
  const members: GroupEntry[] = [];
  for (let after: string | undefined; ; ) {
    const page = await store.members(groupUri, { limit: PAGE, ...defined({ after }) });
    for (const { uri, kind, priority, extensions } of page) {
      if (kind === "user") members.push({ uri, ...defined({ priority, extensions: xmlOf(extensions) }) });
    }
    if (page.length < PAGE) return members;
    after = page.at(-1)!.uri;
  }
}

/**
 * XCAP leaves open what a collection answers. Here it is what the first NOTIFY of a subscription to it would tell: the
 * documents below it that may be read, and their entity tags.
 */
async function collection(exchange: Exchange, path: XcapPath, context: XcapContext): Promise<XcapDocument> {
  const { config } = context;
  const xcapRoot = `${config.urls[0] ?? exchange.request.origin}${config.xcapPath}/`;
  const documents = await documentsBelow(exchange, path, context);
  return plain(MEDIA.xcapDiff, writeXcapDiff({ xcapRoot, documents }));
}

async function documentsBelow(
  exchange: Exchange,
  path: XcapPath,
  context: XcapContext,
): Promise<XcapDiffDocument[]> {
  if (path.kind === "gktp-collection") {
    const records = await ownMessages(exchange, { kind: "gktp-user", xui: path.xui }, context);
    return [{ sel: gktpUserPath(path.xui), newEtag: gktpEtagOf(records) }];
  }
  const groups = new Map<string, GroupRecord>();
  for (const identity of exchange.identities) {
    for (const group of await context.store.groupsOf(identity)) groups.set(group.uri, group);
  }
  if (path.kind === "group-collection") {
    return [...groups.values()].map(({ uri, revision }) => ({
      sel: groupDocumentPath(uri),
      newEtag: groupEtag(revision),
    }));
  }
  const found: XcapDiffDocument[] = [];
  for (const group of groups.keys()) {
    const records = await ownMessages(exchange, { kind: "gktp-group", group }, context);
    found.push({ sel: gktpGroupPath(group), newEtag: gktpEtagOf(records) });
  }
  return found;
}
