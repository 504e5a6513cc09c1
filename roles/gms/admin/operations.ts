/** The operations of the admin API: path, shapes, who may, and what is done. */
import { defined } from "../../../base/defined.ts";
import type { GmkRecord, GroupSettings, RekeyRecord } from "../../../store/gms/records.ts";
import type { Caller } from "../common/caller.ts";
import { refused } from "../common/errors.ts";
import type { Changed, GmsAdmin, NewMember, Page, RekeyOptions } from "../common/ports.ts";
import type { PARAMETERS, Query, QueryName, SchemaName, Shape } from "./schemas.ts";

/** Paths below it. */
export const ADMIN_ROOT = "/gms/v1";

/** The rights of an operation on behalf of its caller. */
export interface Rights {
  readonly caller: Caller;
  /** Returns whether all these groups may be told of. */
  manages(groups: readonly string[]): Promise<boolean>;
}

export interface Call<B = unknown, Q = unknown> extends Rights {
  readonly admin: GmsAdmin;
  readonly gmk: (gmkId: number) => Promise<GmkRecord | undefined>;
  readonly params: Readonly<Record<keyof typeof PARAMETERS, string>>;
  readonly query: Q;
  readonly body: B;
  /** If-Match, of the operations that take it. */
  readonly ifRevision: number | undefined;
}

export interface Operation {
  readonly id: string;
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Below ADMIN_ROOT, with `{name}` of PARAMETERS. */
  readonly path: string;
  readonly summary: string;
  readonly query?: QueryName;
  readonly body?: SchemaName;
  readonly ifMatch?: boolean;
  readonly status: number;
  readonly answer?: SchemaName;
  /** Lines of JSON, each of the shape of the answer. */
  readonly lines?: boolean;
  /** The groups that one must manage, all of them. Absent or none: for the operator only. */
  readonly groups?: (call: Call<never, never>) => Promise<readonly string[]>;
  readonly run: (call: Call<never, never>) => Promise<unknown>;
}

function operation<B extends SchemaName, Q extends QueryName>(
  facts: Omit<Operation, "body" | "query" | "groups" | "run"> & {
    readonly body?: B;
    readonly query?: Q;
    readonly groups?: (call: Call<Shape<B>, Query<Q>>) => Promise<readonly string[]>;
    readonly run: (call: Call<Shape<B>, Query<Q>>) => Promise<unknown>;
  },
): Operation {
  return facts;
}

const ofGroup = async ({ params }: Call<unknown, unknown>) => [params.group];
const ofRekey = async ({ admin, params }: Call<unknown, unknown>) =>
  (await admin.rekeyStatus(Number(params.rekey))).groups;

export const OPERATIONS: readonly Operation[] = [
  operation({
    id: "listGroups",
    method: "GET",
    path: "/groups",
    summary: "Groups by URI, those after one",
    query: "page",
    status: 200,
    answer: "Groups",
    run: async ({ admin, query }) => ({ groups: await admin.groups(pageOf(query)) }),
  }),
  operation({
    id: "createGroup",
    method: "POST",
    path: "/groups",
    summary: "Makes a group and its first GMK",
    body: "NewGroup",
    status: 201,
    answer: "Changed",
    run: ({ admin, caller, body: { uri, members, settings } }) =>
      admin.createGroup(caller, {
        uri,
        members: members as NewMember[],
        ...(settings && { settings: settings as Partial<GroupSettings> }),
      }),
  }),
  operation({
    id: "getGroup",
    method: "GET",
    path: "/groups/{group}",
    summary: "A group",
    status: 200,
    answer: "Group",
    groups: ofGroup,
    run: async ({ admin, params: { group } }) => {
      const found = await admin.group(group);
      if (found === undefined) throw refused("GROUP_UNKNOWN", `${group}: no such group`);
      return found;
    },
  }),
  operation({
    id: "changeGroup",
    method: "PATCH",
    path: "/groups/{group}",
    summary: "Changes the settings that are given",
    body: "SettingsChange",
    ifMatch: true,
    status: 200,
    answer: "Changed",
    groups: ofGroup,
    run: async ({ admin, caller, params, body, ifRevision, manages }) => {
      const changes = body as Partial<GroupSettings>;
      return seen(manages, await admin.changeGroup(caller, params.group, changes, ifRevision));
    },
  }),
  operation({
    id: "replaceGroup",
    method: "PUT",
    path: "/groups/{group}",
    summary: "Settings, and members that are new or gone, at once; servers among the members stay",
    body: "GroupContent",
    ifMatch: true,
    status: 200,
    answer: "Changed",
    groups: ofGroup,
    run: async ({ admin, caller, params, body: { members, settings }, ifRevision, manages }) => {
      const content = { uri: params.group, members: members as NewMember[] };
      const changes = settings && { settings: settings as Partial<GroupSettings> };
      const group = { ...content, ...changes };
      return seen(manages, await admin.replaceGroup(caller, group, ifRevision));
    },
  }),
  operation({
    id: "deleteGroup",
    method: "DELETE",
    path: "/groups/{group}",
    summary: "Deletes a group and revokes its GMKs that no other group shares",
    ifMatch: true,
    status: 204,
    groups: ofGroup,
    run: ({ admin, caller, params, ifRevision }) => admin.deleteGroup(caller, params.group, ifRevision),
  }),
  operation({
    id: "listMembers",
    method: "GET",
    path: "/groups/{group}/members",
    summary: "Members by URI, those after one",
    query: "page",
    status: 200,
    answer: "Members",
    groups: ofGroup,
    run: async ({ admin, params, query }) => ({ members: await admin.members(params.group, pageOf(query)) }),
  }),
  operation({
    id: "addMembers",
    method: "POST",
    path: "/groups/{group}/members",
    summary: "Adds members, who get the GMKs in use or bring a new one",
    body: "NewMembers",
    status: 200,
    answer: "Changed",
    groups: ofGroup,
    run: async ({ admin, caller, params, body, manages }) =>
      seen(manages, await admin.addMembers(caller, params.group, body.members as NewMember[])),
  }),
  operation({
    id: "removeMembers",
    method: "POST",
    path: "/groups/{group}/members/remove",
    summary: "Removes members; those who stay get a new GMK",
    body: "MemberUris",
    status: 200,
    answer: "Changed",
    groups: ofGroup,
    run: async ({ admin, caller, params, body, manages }) =>
      seen(manages, await admin.removeMembers(caller, params.group, body.uris)),
  }),
  operation({
    id: "setPriority",
    method: "PATCH",
    path: "/groups/{group}/members/{member}",
    summary: "Gives a member another priority of floor requests",
    body: "MemberChange",
    status: 200,
    answer: "Changed",
    groups: ofGroup,
    run: async ({ admin, caller, params: { group, member }, body, manages }) =>
      seen(manages, await admin.setPriority(caller, group, member, body.priority ?? undefined)),
  }),
  operation({
    id: "loseUser",
    method: "POST",
    path: "/users/{user}/lost",
    summary: "Takes a user out of all groups and ends every GMK that they hold; again: goes on",
    status: 200,
    answer: "LostUser",
    run: ({ admin, caller, params }) => admin.loseUser(caller, params.user),
  }),
  operation({
    id: "getLostUser",
    method: "GET",
    path: "/users/{user}/lost",
    summary: "The members who have not yet confirmed that they have the new keys and refuse the old ones",
    status: 200,
    answer: "LostUser",
    run: ({ admin, params }) => admin.lostUser(params.user),
  }),
  operation({
    id: "listGmks",
    method: "GET",
    path: "/groups/{group}/gmks",
    summary: "GMKs of a group, without the keys, and without groups that one does not manage",
    status: 200,
    answer: "Gmks",
    groups: ofGroup,
    run: async ({ admin, params, manages }) => {
      const gmks = await admin.gmks(params.group);
      const told = new Map<string, boolean>();
      for (const uri of new Set(gmks.flatMap(({ groups }) => groups))) told.set(uri, await manages([uri]));
      return { gmks: gmks.map((gmk) => ({ ...gmk, groups: gmk.groups.filter((uri) => told.get(uri)) })) };
    },
  }),
  operation({
    id: "rekey",
    method: "POST",
    path: "/groups/{group}/rekeys",
    summary: "Gives a group a new GMK",
    body: "RekeyOptions",
    status: 202,
    answer: "Rekey",
    groups: async ({ params, body }) => [params.group, ...(body.sharedWith ?? [])],
    run: ({ admin, caller, params, body }) => admin.rekey(caller, params.group, body as RekeyOptions),
  }),
  operation({
    id: "revokeGmk",
    method: "POST",
    path: "/gmks/{gmkId}/revoke",
    summary: "Revokes a GMK, for all groups that share it",
    status: 202,
    answer: "Rekey",
    groups: async ({ params, gmk }) => (await gmk(gmkIdOf(params.gmkId)))?.groups ?? [],
    run: ({ admin, caller, params }) => admin.revokeGmk(caller, gmkIdOf(params.gmkId)),
  }),
  operation({
    id: "listRekeys",
    method: "GET",
    path: "/rekeys",
    summary:
      "Rekeys, the newest first, of all groups or of one, without those of a group that one does not manage",
    query: "rekeys",
    status: 200,
    answer: "Rekeys",
    groups: async ({ query: { group } }) => (group === undefined ? [] : [group]),
    run: async ({ admin, query: { group, limit }, manages }) => ({
      rekeys: await those(manages, await admin.rekeys({ limit, ...defined({ groupUri: group }) })),
    }),
  }),
  operation({
    id: "getRekey",
    method: "GET",
    path: "/rekeys/{rekey}",
    summary: "A rekey and how many members are in which state",
    status: 200,
    answer: "Rekey",
    groups: ofRekey,
    run: ({ admin, params }) => admin.rekeyStatus(Number(params.rekey)),
  }),
  operation({
    id: "watchRekey",
    method: "GET",
    path: "/rekeys/{rekey}/progress",
    summary: "A line for each change of a rekey, until it has ended",
    status: 200,
    answer: "ProgressLine",
    lines: true,
    groups: ofRekey,
    run: ({ admin, params }) => admin.rekeyStatus(Number(params.rekey)),
  }),
  operation({
    id: "listDeliveries",
    method: "GET",
    path: "/rekeys/{rekey}/deliveries",
    summary: "Members of a rekey by URI, with their states and reasons",
    query: "deliveries",
    status: 200,
    answer: "Deliveries",
    groups: ofRekey,
    run: async ({ admin, params, query: { state, limit, ...page } }) => ({
      deliveries: await admin.deliveries(Number(params.rekey), {
        ...pageOf({ ...page, limit }),
        ...defined({ state }),
      }),
    }),
  }),
  operation({
    id: "listAuditLog",
    method: "GET",
    path: "/audit",
    summary: "The audit log, in its order",
    query: "audit",
    status: 200,
    answer: "AuditLog",
    run: async ({ admin, query: { group, limit, ...which } }) => ({
      entries: await admin.auditLog({ limit, ...defined({ ...which, groupUri: group }) }),
    }),
  }),
  operation({
    id: "resetClock",
    method: "POST",
    path: "/clock/reset",
    summary: "Lets T go on from the database's clock, after that was ahead for a while",
    status: 200,
    answer: "ClockReset",
    run: ({ admin, caller }) => admin.resetClock(caller),
  }),
  operation({
    id: "refreshKms",
    method: "POST",
    path: "/kms/refresh",
    summary: "Asks the KMS now for keys and certificates, those of partner KMSs included",
    status: 200,
    answer: "KmsRefresh",
    run: ({ admin, caller }) => admin.refreshKms(caller),
  }),
];

/** Rekeys of groups that share a GMK tell of the other groups: for who manages them all. */
async function those(manages: Rights["manages"], rekeys: readonly RekeyRecord[]): Promise<RekeyRecord[]> {
  const may = await Promise.all(rekeys.map(({ groups }) => manages(groups)));
  return rekeys.filter((_, i) => may[i]);
}

async function seen(manages: Rights["manages"], { rekeys, ...rest }: Changed): Promise<Changed> {
  return { ...rest, rekeys: await those(manages, rekeys) };
}

const gmkIdOf = (digits: string) => Number.parseInt(digits, 16);

function pageOf({ after, limit }: Query<"page">): Page {
  return { limit, ...defined({ after }) };
}
