/** PUT and DELETE of a group document by its managers (TS 24.481 6.3.2, 6.3.5; TS 23.280 10.1.5.1). */
import {
  type GroupDocument,
  MEDIA,
  readGroupDocument,
  type XcapPath,
} from "../../../documents/group-xml/index.ts";
import { manager } from "../common/caller.ts";
import { isError } from "../common/errors.ts";
import { groupEtag } from "../common/etags.ts";
import type { NewGroup } from "../common/ports.ts";
import { type GroupAccess, groupAccess } from "./access.ts";
import { requireBody } from "./body.ts";
import { requireConditions } from "./conditions.ts";
import type { Exchange, XcapContext, XcapResponse } from "./exchange.ts";
import { conflict, documentRefusal, XcapRefusal } from "./xcap-refusal.ts";

/** Settings that a document may do without. */
const NOT_THERE = {
  inviteMembers: undefined,
  priority: undefined,
  maxParticipants: undefined,
  hangTimer: undefined,
  voiceEncodings: undefined,
  extensions: undefined,
};

export type GroupExchange = Exchange<Extract<XcapPath, { kind: "group" }>>;

/** A change that meets another one is tried again, so often. */
const TRIES = 5;
/** Free URIs that are proposed for one that is taken, and how many are looked at for them. */
const ALTERNATIVES = 3;
const CANDIDATES = 9;
/** Node selector of the group's URI in its document. */
const URI_FIELD = "group/list-service/@uri";

/** @throws {XcapRefusal} NOT_FOUND, NOT_A_MANAGER, PRECONDITION, BODY_TYPE, CONFLICT */
export function putGroup(exchange: GroupExchange, context: XcapContext): Promise<XcapResponse> {
  const { path, request, identities } = exchange;
  const creator = identities.find((identity) => context.config.groupCreators.includes(identity));
  return tried(exchange, context, async (access) => {
    if (access !== undefined && access.manager === undefined) {
      if (creator !== undefined && access.members.length === 0) throw await taken(path.group, context);
      throw notManaged(access);
    }
    if (access === undefined && creator === undefined) throw new XcapRefusal("NOT_FOUND");
    requireConditions(exchange.conditions, access && groupEtag(access.group.revision));
    const group = groupOf(path.group, requireBody(request, MEDIA.group));
    if (access === undefined) return created(group, creator!, context);
    const changed = await context.admin.replaceGroup(
      manager(access.manager!, identities),
      group,
      access.group.revision,
    );
    return { status: 200, headers: { etag: `"${groupEtag(changed.group.revision)}"` }, body: "" };
  });
}

/** @throws {XcapRefusal} NOT_FOUND, NOT_A_MANAGER, PRECONDITION */
export function deleteGroup(exchange: GroupExchange, context: XcapContext): Promise<XcapResponse> {
  return tried(exchange, context, async (access) => {
    if (access?.manager === undefined) throw notManaged(access);
    requireConditions(exchange.conditions, groupEtag(access.group.revision));
    await context.admin.deleteGroup(
      manager(access.manager, exchange.identities),
      exchange.path.group,
      access.group.revision,
    );
    return { status: 200, headers: {}, body: "" };
  });
}

/**
 * Changes are made to the revision on which the rights were looked up. Where another change came in between, everything
 * is looked at again; If-Match tells then whether the client knows of it.
 */
async function tried(
  exchange: GroupExchange,
  context: XcapContext,
  work: (access: GroupAccess | undefined) => Promise<XcapResponse>,
): Promise<XcapResponse> {
  for (let left = TRIES; ; left--) {
    try {
      return await work(await groupAccess(exchange, exchange.path.group, context));
    } catch (error) {
      const other = isError(error, "GROUP_CHANGED") || isError(error, "GROUP_UNKNOWN");
      if (!other && !isError(error, "GROUP_EXISTS")) throw error;
      if (left <= 1)
        throw new XcapRefusal("BUSY", { detail: "the group changes all the time", cause: error });
    }
  }
}

function notManaged(access: GroupAccess | undefined): XcapRefusal {
  return new XcapRefusal(access === undefined || access.members.length === 0 ? "NOT_FOUND" : "NOT_A_MANAGER");
}

async function created(group: NewGroup, creator: string, context: XcapContext): Promise<XcapResponse> {
  const settings = { ...group.settings, managers: [creator] };
  const made = await context.admin.createGroup(manager(creator, [creator]), { ...group, settings });
  return { status: 201, headers: { etag: `"${groupEtag(made.group.revision)}"` }, body: "" };
}

/** TS 24.481 6.3.2.3: the group ID is in use; others that are free are proposed. */
async function taken(uri: string, { store }: XcapContext): Promise<XcapRefusal> {
  const alternatives: string[] = [];
  for (let n = 2; n < 2 + CANDIDATES && alternatives.length < ALTERNATIVES; n++) {
    const candidate = uri.includes("@") ? uri.replace("@", `-${n}@`) : `${uri}-${n}`;
    if ((await store.group(candidate)) === undefined) alternatives.push(candidate);
  }
  const exists = [{ field: URI_FIELD, alternatives }];
  return conflict("uniqueness-failure", "the MC service group ID is in use", { exists });
}

/** @throws {XcapRefusal} CONFLICT */
function groupOf(uri: string, body: Uint8Array): NewGroup {
  let document: GroupDocument;
  try {
    document = readGroupDocument(body);
  } catch (error) {
    throw documentRefusal(error);
  }
  const { uri: _, members, ...settings } = document;
  if (document.uri !== uri) {
    throw conflict("constraint-failure", "the URI of list-service is not that of the path");
  }
  // A client that read the group without its members must not empty it by putting that back.
  if (members === undefined) throw conflict("constraint-failure", "the document has no list of members");
  // The document is whole: what it does not have is taken away.
  return { uri, members, settings: { ...NOT_THERE, ...settings } };
}
