/** Notices that processes send each other through the database, so that nobody has to look all the time. */

/** Channel of `pg_notify`. */
export const CHANNEL = "gms";

/**
 * planned: there are chunks to seal. due: messages for the process of that name to send. also: others send messages to
 * members that it has subscriptions of as well. group: its document or its members have changed.
 */
export type Notice =
  | { readonly what: "planned" }
  | { readonly what: "due" | "also"; readonly instance: string }
  | { readonly what: "group"; readonly uri: string };

export function readNotice(payload: string): Notice | undefined {
  const space = payload.indexOf(" ");
  const [what, rest] = space < 0 ? [payload, ""] : [payload.slice(0, space), payload.slice(space + 1)];
  if (what === "planned") return { what };
  if (what === "due" || what === "also") return { what, instance: rest };
  if (what === "group") return { what, uri: rest };
  return undefined;
}

export const PLANNED = `SELECT pg_notify('${CHANNEL}', 'planned')`;
/** Parameter: the URI. */
export const GROUP_CHANGED = `SELECT pg_notify('${CHANNEL}', 'group ' || $1)`;

/** SELECT that tells processes which are not the holders of rows of a table, but have the same members. */
export const tellOthers = (table: string): string =>
  `SELECT pg_notify('${CHANNEL}', 'also ' || instance) FROM (
    SELECT DISTINCT p.instance FROM ${table} JOIN gms_presence p
      ON p.member_uri = ${table}.member_uri AND p.instance <> ${table}.holder) AS one`;

/** SELECT that wakes the processes in a column `holder` of a table, each once. */
export const wakeHolders = (table: string): string =>
  `SELECT pg_notify('${CHANNEL}', 'due ' || holder) FROM (SELECT DISTINCT holder FROM ${table} WHERE holder IS NOT NULL)
    AS one`;
