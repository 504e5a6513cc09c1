/** Records of a GMS as the command line shows them. */
import { traceIdOf } from "../../base/traceparent.ts";
import { formatKeyId } from "../../bindings/identity/index.ts";
import { lookAlikeWarnings, spelledOut } from "../../documents/group-xml/index.ts";
import type {
  DeliveryRecord,
  GmkRecord,
  GroupRecord,
  MemberRecord,
  RekeyRecord,
} from "../../store/gms/records.ts";
import { durationText } from "../terminal/durations.ts";
import { counted, type Json, table } from "../terminal/output.ts";

type JsonObject = { readonly [key: string]: Json | undefined };

/** The order in which a delivery goes through them. */
export const STATES = ["planned", "sealed", "delivered", "acknowledged", "refused", "unreachable"] as const;

export const time = (ms: number): string => new Date(ms).toISOString();
const timeOr = (ms: number | undefined, none: string) => (ms === undefined ? none : time(ms));

export function groupJson({ uri, settings, revision, createdAt, nextRekeyAt }: GroupRecord): JsonObject {
  const { extensions: _, ...read } = settings;
  return {
    group: uri,
    ...read,
    revision,
    createdAt: time(createdAt),
    nextRekeyAt: nextRekeyAt === undefined ? undefined : time(nextRekeyAt),
  };
}

export function groupsLines(groups: readonly GroupRecord[]): string[] {
  if (groups.length === 0) return ["no groups"];
  const rows = groups.map(({ uri, settings, revision }) => [
    uri,
    settings.displayName,
    settings.services.join(" "),
    String(revision),
  ]);
  return table([["group", "name", "services", "revision"], ...rows]);
}

export function groupLines({ uri, settings, revision, nextRekeyAt }: GroupRecord): string[] {
  const { displayName, services, managers, rekeyEveryMs, gmkLifetimeMs, rekeyOnAdd } = settings;
  const every = rekeyEveryMs === undefined ? "when asked" : `every ${durationText(rekeyEveryMs)}`;
  const next = nextRekeyAt === undefined ? "" : `, next at ${time(nextRekeyAt)}`;
  return [
    `group         ${spelledOut(uri)}`,
    `name          ${displayName}`,
    `services      ${services.join(", ")}`,
    ...(managers.length === 0 ? [] : [`managers      ${managers.join(", ")}`]),
    `rekey         ${every}${next}${rekeyOnAdd ? "; for each new member" : ""}`,
    `GMK lifetime  ${gmkLifetimeMs === undefined ? "as the policy says" : durationText(gmkLifetimeMs)}`,
    `revision      ${revision}`,
  ];
}

export function memberJson({ uri, kmsUri, kind, priority }: MemberRecord): JsonObject {
  return { uri, kmsUri, kind, priority };
}

export function memberLines(members: readonly MemberRecord[]): string[] {
  if (members.length === 0) return ["no members"];
  const rows = members.map(({ uri, kmsUri, kind }) => [spelledOut(uri), kmsUri, kind]);
  const uris = members.map(({ uri }) => uri);
  return [
    ...table([["member", "KMS", "kind"], ...rows]),
    ...lookAlikeWarnings(uris, []).map((warning) => `warning: ${warning}`),
  ];
}

export function gmkJson(gmk: GmkRecord): JsonObject {
  return {
    gmkId: formatKeyId(gmk.gmkId),
    state: gmk.state,
    groups: gmk.groups,
    activation: time(gmk.activation),
    expiry: gmk.expiry === undefined ? undefined : time(gmk.expiry),
    text: gmk.text,
    createdAt: time(gmk.createdAt),
    revokeAt: gmk.revokeAt === undefined ? undefined : time(gmk.revokeAt),
  };
}

export function gmkLines(gmks: readonly GmkRecord[]): string[] {
  if (gmks.length === 0) return ["no keys"];
  return table([
    ["GMK-ID", "state", "activation", "expiry", "groups", "text"],
    ...gmks.map((gmk) => [
      formatKeyId(gmk.gmkId),
      gmk.revokeAt === undefined ? gmk.state : `${gmk.state}, revoked at ${time(gmk.revokeAt)}`,
      time(gmk.activation),
      timeOr(gmk.expiry, "never"),
      gmk.groups.join(" "),
      gmk.text,
    ]),
  ]);
}

export function rekeyJson(rekey: RekeyRecord): JsonObject {
  return {
    rekey: rekey.id,
    kind: rekey.kind,
    gmkId: formatKeyId(rekey.gmkId),
    groups: rekey.groups,
    cause: rekey.cause,
    actor: rekey.actor,
    traceId: traceIdOf(rekey.traceparent),
    state: rekey.state,
    total: rekey.total,
    counts: { ...rekey.counts },
    createdAt: time(rekey.createdAt),
    sealedAt: rekey.sealedAt === undefined ? undefined : time(rekey.sealedAt),
    finishedAt: rekey.finishedAt === undefined ? undefined : time(rekey.finishedAt),
  };
}

export function rekeyLines(rekeys: readonly RekeyRecord[]): string[] {
  if (rekeys.length === 0) return ["no rekeys"];
  return table([
    ["rekey", "time", "kind", "GMK-ID", "cause", "state", "total", ...STATES],
    ...rekeys.map((rekey) => [
      String(rekey.id),
      time(rekey.createdAt),
      rekey.kind,
      formatKeyId(rekey.gmkId),
      rekey.cause,
      rekey.state,
      String(rekey.total),
      ...STATES.map((state) => String(rekey.counts[state])),
    ]),
  ]);
}

/** Returns the line that `grep` finds in the logs of all processes. */
export function traceLine({ traceparent }: RekeyRecord): string[] {
  const traceId = traceIdOf(traceparent);
  return traceId === undefined ? [] : ["", `trace ${traceId}`];
}

export function deliveryJson({
  memberUri,
  state,
  attempts,
  status,
  reason,
  changedAt,
}: DeliveryRecord): JsonObject {
  return { member: memberUri, state, attempts, status, reason, changedAt: time(changedAt) };
}

export function deliveryLines(deliveries: readonly DeliveryRecord[]): string[] {
  return table([
    ["member", "state", "tries", "answer"],
    ...deliveries.map(({ memberUri, state, attempts, status, reason }) => [
      memberUri,
      state,
      String(attempts),
      [status, reason].filter((part) => part !== undefined).join(" "),
    ]),
  ]);
}

/** One line for a change that caused rekeys. */
export function changeLine(rekeys: readonly RekeyRecord[]): string[] {
  return rekeys.map(
    ({ id, kind, gmkId, total }) =>
      `rekey ${id}: ${kind} GMK ${formatKeyId(gmkId)}, ${counted(total, "member")}`,
  );
}

/** The end of a rekey that was watched. */
export function endLines(rekey: RekeyRecord, missing: readonly DeliveryRecord[]): string[] {
  const { gmkId, state, total, counts, createdAt, finishedAt } = rekey;
  const what = rekey.kind === "revoke" ? "revocation of GMK" : "GMK";
  const until = finishedAt === undefined ? "" : `, ${((finishedAt - createdAt) / 1000).toFixed(1)} s`;
  const head = `${what} ${formatKeyId(gmkId)}: acknowledged by ${counts.acknowledged} of ${total}${until}`;
  if (state === "superseded") return [head, "a newer rekey took its place"];
  if (missing.length === 0) return [head];
  return [head, "", `${missing.length} have not said that they have it:`, "", ...deliveryLines(missing)];
}
