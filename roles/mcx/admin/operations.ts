/** The operations of the admin API of an MCX server, with the shapes of what they answer. */
import { z } from "zod";
import { errorSchema } from "../../server/openapi.ts";

/** Paths below it. */
export const MCX_ADMIN_ROOT = "/mcx/v1";

const uri = z.string();
const count = z.number().int().min(0);
const time = count.describe("milliseconds since the Unix epoch");

const session = z.strictObject({
  groupUri: uri,
  participants: z.array(uri),
  talkers: z.array(uri).describe("members who have the floor"),
  emergencies: z.array(uri).describe("members who talk or wait for the floor with an emergency"),
  mixed: z.boolean().describe("whether the server mixes, as it holds a key of the group"),
  counters: z.record(z.string(), count),
});

const emergency = z.strictObject({
  id: count.describe("counts the emergencies of the process from 1"),
  groupUri: uri,
  user: uri.describe("who called"),
  at: time,
});

const milliseconds = count.describe("milliseconds with the floor");

const call = z.strictObject({
  id: count.describe("counts the calls of the process from 1"),
  groupUri: uri,
  from: time,
  to: time.optional().describe("absent while the call goes on"),
  participants: count.describe("how many users were in it at a time, at most"),
  talkers: z
    .array(z.strictObject({ user: uri, talks: count, ms: milliseconds }))
    .describe("who has talked, the last fifty; whoever talked last is at the end"),
  last: z
    .strictObject({ user: uri, at: time, ms: milliseconds })
    .optional()
    .describe("the talk that ended last"),
});

/** By the names that they have in the OpenAPI document. */
export const SCHEMAS = {
  Sessions: z.strictObject({ sessions: z.array(session) }),
  Clients: z.strictObject({ clients: z.array(uri) }),
  Emergencies: z.strictObject({ emergencies: z.array(emergency) }),
  Calls: z.strictObject({ calls: z.array(call) }),
  KmsRefresh: z.strictObject({ kmsUris: z.array(uri).describe("KMSs whose certificates are there") }),
  Error: errorSchema,
} as const;

export interface McxOperation {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly summary: string;
  readonly answer: keyof typeof SCHEMAS;
}

export const OPERATIONS = {
  listSessions: {
    method: "GET",
    path: "/sessions",
    summary: "Calls of groups, with who is in them, the floor and their counters",
    answer: "Sessions",
  },
  listClients: { method: "GET", path: "/clients", summary: "Users that are bound", answer: "Clients" },
  listEmergencies: {
    method: "GET",
    path: "/emergencies",
    summary: "The latest emergency calls, the oldest first",
    answer: "Emergencies",
  },
  listCalls: {
    method: "GET",
    path: "/calls",
    summary: "The latest thousand calls of groups, the oldest first, with who talked in each",
    answer: "Calls",
  },
  refreshKms: {
    method: "POST",
    path: "/kms/refresh",
    summary: "Asks the KMS now for keys and certificates",
    answer: "KmsRefresh",
  },
} as const satisfies Readonly<Record<string, McxOperation>>;

export type OperationId = keyof typeof OPERATIONS;
