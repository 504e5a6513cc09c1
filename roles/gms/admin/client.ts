/** The operations of a GMS that runs, through its admin API. */
import { orAborted } from "../../../base/deadline.ts";
import { defined, ifDefined } from "../../../base/defined.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import type { GmkRecord, GroupRecord, RekeyRecord } from "../../../store/gms/records.ts";
import { jsonLines, refusalOf, thrownLine, type WireError } from "../../server/wire-error.ts";
import type { Caller } from "../common/caller.ts";
import { isError } from "../common/errors.ts";
import type { Changed, GmsAdmin, LostUser } from "../common/ports.ts";
import { callerHeaders } from "./caller.ts";
import { ADMIN_ROOT } from "./operations.ts";

export { type Caller, type ManagerCaller, manager, type OperatorCaller, operator } from "../common/caller.ts";

export interface GmsAdminClientOptions {
  /** As `Gms.listen` gives it. */
  readonly url: string;
  /**
   * Token of the operator, or the access token of a manager. The caller of an operation can only narrow what the token
   * permits: with the operator's, a manager may do what they could do with their own; with a manager's, the name of an
   * operator is ignored.
   */
  readonly token: string;
  readonly fetch?: typeof fetch;
  /** Names the operation that requests are part of (W3C Trace Context). Without it the GMS begins a trace for each request. */
  readonly traceparent?: string;
}

export interface GmsAdminClient extends GmsAdmin {
  traced(traceparent: string): GmsAdminClient;
  /** The rekey whenever something has changed, until it has ended. */
  progress(rekey: number, options?: { readonly signal?: AbortSignal }): AsyncGenerator<RekeyRecord>;
}

interface Ask {
  readonly caller?: Caller;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: object;
  readonly ifRevision?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

type Line = { readonly rekey: RekeyRecord } | { readonly error: WireError };

/** Errors of the operations come back as they were thrown; transport `ADMIN_UNREACHABLE` when nobody answers. */
export function gmsAdminClient(options: GmsAdminClientOptions): GmsAdminClient {
  const { url, token, traceparent, fetch: send = fetch } = options;

  async function request(method: string, path: string, ask: Ask = {}): Promise<Response> {
    const { caller, query = {}, body, ifRevision, signal } = ask;
    const target = new URL(`${ADMIN_ROOT}${path}`, url);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) target.searchParams.set(name, String(value));
    }
    const init: RequestInit = {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...ifDefined(caller, callerHeaders),
        ...defined({ traceparent }),
        ...(ifRevision !== undefined && { "if-match": `"${ifRevision}"` }),
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...defined({ body: ifDefined(body, JSON.stringify) }),
      redirect: "error",
      ...defined({ signal }),
    };
    const response = await orAborted(send(target, init), signal).catch((cause) => {
      signal?.throwIfAborted();
      throw new MikeySakkeError("transport", "ADMIN_UNREACHABLE", `${url}: no answer`, { cause });
    });
    if (response.ok) return response;
    throw await refusalOf(response, url);
  }

  async function ask<T>(method: string, path: string, options?: Ask): Promise<T> {
    return (await (await request(method, path, options)).json()) as T;
  }

  const groupPath = (uri: string) => `/groups/${encodeURIComponent(uri)}`;
  const lostPath = (uri: string) => `/users/${encodeURIComponent(uri)}/lost`;
  const change = async (method: string, path: string, options: Ask) =>
    changedOf(await ask<Changed>(method, path, options));

  return {
    traced: (other) => gmsAdminClient({ ...options, traceparent: other }),
    createGroup: (caller, group) => change("POST", "/groups", { caller, body: group }),
    async group(uri) {
      try {
        return groupOf(await ask("GET", groupPath(uri)));
      } catch (error) {
        if (isError(error, "GROUP_UNKNOWN")) return undefined;
        throw error;
      }
    },
    async groups(page) {
      const { groups } = await ask<{ groups: GroupRecord[] }>("GET", "/groups", { query: { ...page } });
      return groups.map(groupOf);
    },
    async members(uri, page) {
      return (await ask<Lists>("GET", `${groupPath(uri)}/members`, { query: { ...page } })).members;
    },
    changeGroup: (caller, uri, settings, ifRevision) =>
      change("PATCH", groupPath(uri), { caller, body: settings, ifRevision }),
    replaceGroup: (caller, { uri, ...body }, ifRevision) =>
      change("PUT", groupPath(uri), { caller, body, ifRevision }),
    async deleteGroup(caller, uri, ifRevision) {
      await request("DELETE", groupPath(uri), { caller, ifRevision });
    },
    addMembers: (caller, uri, members) =>
      change("POST", `${groupPath(uri)}/members`, { caller, body: { members } }),
    removeMembers: (caller, uri, uris) =>
      change("POST", `${groupPath(uri)}/members/remove`, { caller, body: { uris } }),
    setPriority: (caller, uri, member, priority) =>
      change("PATCH", `${groupPath(uri)}/members/${encodeURIComponent(member)}`, {
        caller,
        body: { priority: priority ?? null },
      }),
    loseUser: async (caller, uri) => lostOf(await ask("POST", lostPath(uri), { caller })),
    lostUser: async (uri) => lostOf(await ask("GET", lostPath(uri))),
    gmks: async (uri) => (await ask<Lists>("GET", `${groupPath(uri)}/gmks`)).gmks.map(gmkOf),
    rekey: async (caller, uri, options = {}) =>
      rekeyOf(await ask("POST", `${groupPath(uri)}/rekeys`, { caller, body: options })),
    async revokeGmk(caller, gmkId) {
      const digits = gmkId.toString(16).padStart(8, "0");
      return rekeyOf(await ask("POST", `/gmks/${digits}/revoke`, { caller }));
    },
    async rekeys({ groupUri, limit }) {
      const { rekeys } = await ask<Lists>("GET", "/rekeys", { query: { group: groupUri, limit } });
      return rekeys.map(rekeyOf);
    },
    rekeyStatus: async (id) => rekeyOf(await ask("GET", `/rekeys/${id}`)),
    async deliveries(rekey, query) {
      const { deliveries } = await ask<Lists>("GET", `/rekeys/${rekey}/deliveries`, { query: { ...query } });
      return deliveries.map((one) => ({ ...one, status: one.status, reason: one.reason }));
    },
    resetClock: (caller) => ask("POST", "/clock/reset", { caller }),
    refreshKms: (caller) => ask("POST", "/kms/refresh", { caller }),
    async auditLog({ groupUri, ...query }) {
      return (await ask<Lists>("GET", "/audit", { query: { ...query, group: groupUri } })).entries;
    },

    async *progress(rekey, { signal } = {}) {
      let last: RekeyRecord | undefined;
      const answer = await request("GET", `/rekeys/${rekey}/progress`, { signal });
      for await (const line of jsonLines<Line>(answer, signal)) {
        if ("error" in line) throw thrownLine(line, url);
        last = rekeyOf(line.rekey);
        yield last;
      }
      if (last !== undefined && last.state !== "running") return;
      signal?.throwIfAborted();
      throw new MikeySakkeError("transport", "ADMIN_FAILED", `${url}: the answer broke off`);
    },
  };
}

interface Lists {
  readonly members: Awaited<ReturnType<GmsAdmin["members"]>>;
  readonly gmks: GmkRecord[];
  readonly rekeys: RekeyRecord[];
  readonly deliveries: Awaited<ReturnType<GmsAdmin["deliveries"]>>;
  readonly entries: Awaited<ReturnType<GmsAdmin["auditLog"]>>;
}

// JSON leaves out what is undefined; the records have it.

function groupOf(group: GroupRecord): GroupRecord {
  return { ...group, nextRekeyAt: group.nextRekeyAt };
}

function gmkOf(gmk: GmkRecord): GmkRecord {
  return { ...gmk, expiry: gmk.expiry, revokeAt: gmk.revokeAt };
}

function lostOf(lost: LostUser): LostUser {
  return { ...lost, gmks: lost.gmks.map(gmkOf) };
}

function rekeyOf(rekey: RekeyRecord): RekeyRecord {
  const { sealedAt, finishedAt, traceparent } = rekey;
  return { ...rekey, sealedAt, finishedAt, traceparent };
}

function changedOf({ group, rekeys, ...rest }: Changed): Changed {
  return { group: groupOf(group), rekeys: rekeys.map(rekeyOf), ...rest };
}
