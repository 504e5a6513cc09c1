/**
 * The operations of the console's own API, with the shapes of what they take and answer. Times are milliseconds since the
 * Unix epoch.
 */
import { z } from "zod";
import { errorSchema } from "../server/openapi.ts";
import { SERIES_NAMES } from "./series.ts";

const text = z.string();
const count = z.number().int().min(0);
const time = z.number().min(0);
const server = z.enum(["kms", "gms", "mcx"]);

const alarm = z.strictObject({
  id: count.describe("counts the emergency calls of the MCX server's process from 1"),
  groupUri: text,
  user: text.describe("who called"),
  at: time,
  acknowledged: z.strictObject({ by: text, at: time }).optional(),
});

const lost = z.strictObject({
  user: text,
  reason: text,
  actor: text,
  startedAt: time,
  groups: z.array(text).describe("groups that use a GMK which the user held"),
  gmks: count.describe("how many GMKs the user held"),
  others: count.describe("members who had something outstanding"),
  outstanding: z.array(text).describe("the first hundred for whom something still is"),
  done: z.boolean(),
  course: z.array(z.strictObject({ at: time, withoutKey: count, unaware: count, revoked: count })),
  fault: text.optional().describe("why it is followed no longer, although it is not done"),
});

const figures = z.array(z.number().nullable());

/** The schemas by the names that they have in the OpenAPI document. */
export const SCHEMAS = {
  SignIn: z.strictObject({
    code: text.max(1000).describe("of a link that signs in once, or the token of the operator"),
    name: text
      .trim()
      .regex(/^[^\p{C}]{1,100}$/u, "1 to 100 characters, none for control")
      .describe("whom the audit logs name"),
  }),
  Session: z.strictObject({
    name: text,
    csrf: text.describe("goes into the header csrf-token of each change"),
    endsAt: time,
    servers: z.array(server),
    identities: z.partialRecord(server, text),
    talkPage: text.optional().describe("origin of a push-to-talk page that gives development tokens"),
    talks: z.boolean().describe("whether operators can take part in calls from here"),
  }),
  Talk: z.strictObject({
    kms: z.strictObject({ url: text, uri: text, via: text.describe("path under which requests to url go") }),
    gms: z.strictObject({ uri: text, sip: text }),
    mcx: z.strictObject({ uri: text, sip: text, media: text }),
    signIn: z.union([
      z.strictObject({ development: text.describe("path of giveTokens") }),
      z.strictObject({
        issuer: text,
        clientId: text,
        scopes: z.array(text).optional(),
        resource: text.optional(),
      }),
    ]),
  }),
  TalkUser: z.strictObject({ user: text.max(1000).describe("MC service user ID of the dispatcher") }),
  TalkTokens: z.strictObject({
    kms: text,
    gms: text,
    mcx: text,
    lifetime: count.describe("seconds that they are good for"),
  }),
  Link: z.strictObject({ link: text }),
  Events: text.describe("the events of FeedEvents in roles/console/messages.ts, each with JSON as its data"),
  History: z.strictObject({
    times: z.array(time),
    values: z.strictObject(Object.fromEntries(SERIES_NAMES.map((name) => [name, figures]))),
  }),
  Alarms: z.strictObject({ alarms: z.array(alarm) }),
  Acknowledge: z.strictObject({ id: count }),
  Lost: lost,
  AllLost: z.strictObject({ lost: z.array(lost) }),
  Lose: z.strictObject({ user: text, reason: text.max(1000) }),
  Error: errorSchema,
} as const;

export type SchemaName = keyof typeof SCHEMAS;

export interface ConsoleOperation {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly summary: string;
  readonly body?: SchemaName;
  readonly query?: readonly string[];
  readonly status: number;
  readonly answer?: SchemaName;
  readonly answerType?: string;
  /** The callers: anybody with a code, anybody with a session, or a command with the operator's token. */
  readonly access: "code" | "session" | "operator";
}

export const OPERATIONS = {
  openSession: {
    method: "POST",
    path: "/session",
    summary: "Signs in: the answer has a cookie",
    body: "SignIn",
    status: 200,
    answer: "Session",
    access: "code",
  },
  getSession: {
    method: "GET",
    path: "/session",
    summary: "The session of the cookie",
    status: 200,
    answer: "Session",
    access: "session",
  },
  closeSession: { method: "DELETE", path: "/session", summary: "Signs out", status: 204, access: "session" },
  makeLink: {
    method: "POST",
    path: "/codes",
    summary: "Makes a link that signs in once, within 15 minutes",
    status: 200,
    answer: "Link",
    access: "operator",
  },
  listen: {
    method: "GET",
    path: "/events",
    summary: "Server-sent events, with the members of one group where it is named",
    query: ["group"],
    status: 200,
    answer: "Events",
    answerType: "text/event-stream",
    access: "session",
  },
  getHistory: {
    method: "GET",
    path: "/history",
    summary: "Figures of the servers over the last day, one a minute",
    status: 200,
    answer: "History",
    access: "session",
  },
  listAlarms: {
    method: "GET",
    path: "/alarms",
    summary: "Emergency calls, the oldest first",
    status: 200,
    answer: "Alarms",
    access: "session",
  },
  acknowledge: {
    method: "POST",
    path: "/alarms/acknowledge",
    summary: "Acknowledges an emergency call; the first operator who does stays named",
    body: "Acknowledge",
    status: 204,
    access: "session",
  },
  getTalk: {
    method: "GET",
    path: "/config.json",
    summary: "Where the servers are for a dispatcher who takes part in calls, and how they sign in",
    status: 200,
    answer: "Talk",
    access: "session",
  },
  giveTokens: {
    method: "POST",
    path: "/talk/tokens",
    summary: "Development tokens for an MC user, where the console gives any",
    body: "TalkUser",
    status: 200,
    answer: "TalkTokens",
    access: "session",
  },
  listLost: {
    method: "GET",
    path: "/lost",
    summary: "Users whose radios were lost, and how far their shutting out is",
    status: 200,
    answer: "AllLost",
    access: "session",
  },
  lose: {
    method: "POST",
    path: "/lost",
    summary: "Revokes a user at the KMS, takes them out of all groups, and ends every GMK that they hold",
    body: "Lose",
    status: 200,
    answer: "Lost",
    access: "session",
  },
} as const satisfies Readonly<Record<string, ConsoleOperation>>;

export type OperationId = keyof typeof OPERATIONS;
