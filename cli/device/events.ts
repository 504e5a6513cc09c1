/** Prints the events of a group client on the command line. Keys themselves are never shown. */
import { MikeySakkeError } from "../../base/errors.ts";
import { formatKeyId } from "../../bindings/identity/index.ts";
import type { GroupClientEvent, GroupKey, TakenMessage } from "../../roles/group-keys/index.ts";
import type { Json } from "../terminal/output.ts";

type JsonObject = { readonly [key: string]: Json | undefined };

export function keyJson({ gmkId, gukId, groups, state, activation, expiry, text }: GroupKey): JsonObject {
  return {
    gmkId: formatKeyId(gmkId),
    gukId: formatKeyId(gukId),
    groups,
    state,
    activation: new Date(activation).toISOString(),
    expiry: expiry === undefined ? undefined : new Date(expiry).toISOString(),
    text,
  };
}

/** Returns a line on a key with its state. */
export function keyLine(key: GroupKey): string {
  return `${nameOf(key)}: ${[key.state, ...textOf(key)].join(", ")}`;
}

/** Returns a line on what happened to a key, which says its state only where that is something else. */
function changeLine(change: string, key: GroupKey): string {
  const more = [...(key.state === change ? [] : [key.state]), ...textOf(key)];
  return `${change}  ${nameOf(key)}${more.length === 0 ? "" : `: ${more.join(", ")}`}`;
}

const nameOf = ({ gmkId, groups }: GroupKey) =>
  [`GMK ${formatKeyId(gmkId)}`, ...(groups.length === 0 ? [] : [`of ${groups.join(", ")}`])].join(" ");
const textOf = ({ text }: GroupKey) => (text === "" ? [] : [`"${text}"`]);

export function eventJson(event: GroupClientEvent): JsonObject {
  switch (event.type) {
    case "key":
      return { event: "key", change: event.change, ...keyJson(event.key) };
    case "key-state":
      return { event: "key-state", ...keyJson(event.key) };
    case "message":
      return { event: "message", carrier: event.carrier, ...takenJson(event.taken) };
    case "failed":
      return { event: "failed", ...errorJson(event.error), retryAt: timeOf(event.retryAt) };
    case "subscription-lost":
      return {
        event: event.type,
        server: event.server,
        cause: event.cause,
        status: event.status,
        retryAt: timeOf(event.retryAt),
      };
    case "server-lost":
      return { event: event.type, server: event.server, cause: event.cause, status: event.status };
    case "subscribed":
      return { event: event.type, server: event.server };
    case "member":
    case "not-member":
      return { event: event.type, group: event.groupUri };
    default:
      return { event: event.type };
  }
}

/** Undefined for what nobody waits for. */
export function eventLine(event: GroupClientEvent): string | undefined {
  switch (event.type) {
    case "key":
      return changeLine(event.change, event.key);
    case "key-state":
      return changeLine(event.key.state, event.key);
    case "message":
      return event.taken.outcome === "refused" || event.taken.outcome === "failed"
        ? `message over ${event.carrier} ${event.taken.outcome}: ${messageOf(event.taken.error)}`
        : undefined;
    case "failed":
      return `failed: ${messageOf(event.error)}${again(event.retryAt)}`;
    case "subscription-lost":
      return `subscription lost: ${event.cause}${event.status === undefined ? "" : ` ${event.status}`}${again(event.retryAt)}`;
    case "server-lost":
      return `server lost: ${event.server}, ${event.cause}${event.status === undefined ? "" : ` ${event.status}`}`;
    case "member":
    case "not-member":
      return `${event.type === "member" ? "member" : "no longer a member"} of ${event.groupUri}`;
    case "subscribed":
      return `subscribed at ${event.server}`;
    default:
      return undefined;
  }
}

function takenJson(taken: TakenMessage): JsonObject {
  const { outcome } = taken;
  if ("key" in taken) return { outcome, ...keyJson(taken.key) };
  return "error" in taken ? { outcome, ...errorJson(taken.error) } : { outcome, groups: taken.groups };
}

function errorJson(error: unknown): JsonObject {
  if (!(error instanceof MikeySakkeError)) return { message: messageOf(error) };
  return { code: error.code, check: error.check, message: error.message };
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
const timeOf = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString());
const again = (ms: number | undefined) => (ms === undefined ? "" : `; again at ${timeOf(ms)}`);
