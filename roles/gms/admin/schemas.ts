/** Shapes of the admin API, of which the OpenAPI document is made. Times are milliseconds since the Unix epoch. */
import { z } from "zod";
import { PROTECTION_ELEMENTS } from "../../../documents/group-xml/index.ts";
import { isStorable } from "../../../store/database/texts.ts";
import { DELIVERY_STATES } from "../../../store/gms/records.ts";
import { errorSchema } from "../../server/openapi.ts";

/** A text that no column takes is refused here, naming where it is. */
const text = (most: number) =>
  z.string().max(most).refine(isStorable, "characters that are none: U+0000, or half a surrogate pair");
const uri = text(1024).min(1);
const time = z.number().int().min(0);
const count = z.number().int().min(0);
const span = z.number().int().min(0);
/** GMK-ID: 32 bits. */
const gmkId = z.number().int().min(0).max(0xffffffff);
const MEMBERS = 100_000;

const priority = z.number().int().min(0).max(255);
/** Elements of a group document that are only kept. */
const extensions = z.array(z.record(z.string(), z.unknown())).optional();

const member = z.strictObject({
  uri,
  kmsUri: uri,
  kind: z.enum(["user", "mcx-server", "gms"]),
  priority: priority.optional().describe("priority of floor requests"),
  extensions,
});

const newMember = z.strictObject({
  uri,
  kmsUri: uri.optional().describe("KmsUri of the member's KMS; that of the GMS when absent"),
  kind: member.shape.kind.optional(),
  priority: member.shape.priority,
});

const settings = z.strictObject({
  displayName: text(1024),
  services: z.array(z.enum(["mcptt", "mcvideo", "mcdata"])).max(3),
  managers: z.array(uri).max(1000).describe("MC service user IDs that may manage the group"),
  unprotected: z.array(z.enum(PROTECTION_ELEMENTS)).describe("security elements that are false"),
  inviteMembers: z.boolean().optional(),
  priority: priority.optional().describe("priority of the group"),
  maxParticipants: count.optional().describe("how many may be in a call"),
  hangTimer: count.optional().describe("seconds without talk after which a call ends"),
  voiceEncodings: z.array(text(64)).max(32).optional(),
  extensions,
  rekeyEveryMs: span.optional(),
  gmkLifetimeMs: span.optional(),
  rekeyOnAdd: z.boolean(),
});

const group = z.strictObject({
  uri,
  settings,
  revision: count,
  createdAt: time,
  nextRekeyAt: time.optional(),
});

const gmk = z.strictObject({
  id: count,
  gmkId,
  groups: z.array(uri),
  activation: time,
  expiry: time.optional(),
  text: z.string(),
  state: z.enum(["live", "retired", "revoked"]),
  createdAt: time,
  revokeAt: time.optional(),
  restored: z.boolean().optional(),
});

const state = z.enum(DELIVERY_STATES);

const rekey = z.strictObject({
  id: count,
  kind: z.enum(["distribute", "renew", "revoke"]),
  gmk: count,
  gmkId,
  groups: z.array(uri),
  cause: z.string(),
  actor: z.string(),
  state: z.enum(["running", "done", "superseded"]),
  total: count,
  counts: z.record(state, count),
  createdAt: time,
  sealedAt: time.optional(),
  finishedAt: time.optional(),
  traceparent: z.string().optional(),
});

const delivery = z.strictObject({
  rekey: count,
  memberUri: uri,
  state,
  attempts: count,
  status: z.number().int().optional(),
  reason: z.string().optional(),
  changedAt: time,
});

const outcome = z.enum(["ok", "refused"]);

const auditEntry = z.strictObject({
  id: count,
  at: time,
  actor: z.string(),
  action: z.string(),
  groupUri: z.string().optional(),
  outcome,
  code: z.string().optional(),
  detail: z.record(z.string(), z.unknown()).optional(),
});

const members = z.array(newMember).max(MEMBERS);

/** By the names that they have in the OpenAPI document. */
export const SCHEMAS = {
  Member: member,
  Settings: settings,
  Group: group,
  Gmk: gmk,
  Rekey: rekey,
  Delivery: delivery,
  AuditEntry: auditEntry,
  Changed: z.strictObject({
    group,
    rekeys: z.array(rekey),
    warnings: z.array(z.string()).optional().describe("URIs that look like others"),
  }),
  Groups: z.strictObject({ groups: z.array(group) }),
  Members: z.strictObject({ members: z.array(member) }),
  Gmks: z.strictObject({ gmks: z.array(gmk) }),
  LostUser: z.strictObject({
    user: uri,
    groups: z.array(uri),
    gmks: z.array(gmk),
    withoutKey: z.array(uri),
    unaware: z.array(uri),
    done: z.boolean(),
  }),
  Rekeys: z.strictObject({ rekeys: z.array(rekey) }),
  Deliveries: z.strictObject({ deliveries: z.array(delivery) }),
  AuditLog: z.strictObject({ entries: z.array(auditEntry) }),
  ClockReset: z.strictObject({
    ahead: z
      .number()
      .int()
      .min(0)
      .describe("seconds that T was ahead; 0: no more than it may be, nothing was done"),
    groups: z
      .array(uri)
      .describe("groups whose members cannot read the last message yet: give them a new key"),
  }),
  KmsRefresh: z.strictObject({ kmsUris: z.array(uri).describe("KMSs whose certificates are there") }),
  ProgressLine: z.union([z.strictObject({ rekey }), errorSchema]),
  Error: errorSchema,
  NewMember: newMember,
  NewGroup: z.strictObject({ uri, members, settings: settings.partial().optional() }),
  GroupContent: z.strictObject({ members, settings: settings.partial().optional() }),
  SettingsChange: settings.partial(),
  NewMembers: z.strictObject({ members: members.min(1) }),
  MemberChange: z.strictObject({ priority: priority.nullable().describe("null: none of their own") }),
  MemberUris: z.strictObject({ uris: z.array(uri).min(1).max(MEMBERS) }),
  RekeyOptions: z.strictObject({
    activation: time.optional(),
    expiry: time.optional(),
    text: text(1024).optional(),
    sharedWith: z.array(uri).max(255).optional(),
    keep: z.boolean().optional(),
    revokeOld: z.boolean().optional(),
  }),
} as const;

export type SchemaName = keyof typeof SCHEMAS;
export type Shape<N extends SchemaName> = z.output<(typeof SCHEMAS)[N]>;

const limit = z.coerce.number().int().min(1).max(10_000).default(1000);

/** Queries of listings. */
export const QUERIES = {
  page: z.strictObject({ after: text(1024).optional(), limit }),
  rekeys: z.strictObject({ group: uri.optional(), limit }),
  deliveries: z.strictObject({ state: state.optional(), after: text(1024).optional(), limit }),
  audit: z.strictObject({
    after: z.coerce.number().int().min(0).optional(),
    group: uri.optional(),
    actor: text(1024).optional(),
    outcome: outcome.optional(),
    limit,
  }),
} as const;

export type QueryName = keyof typeof QUERIES;
export type Query<N extends QueryName> = z.output<(typeof QUERIES)[N]>;

/** Parameters of paths. */
export const PARAMETERS = {
  group: uri.describe("MC service group ID, percent-encoded"),
  member: uri.describe("MC service user ID, percent-encoded"),
  gmkId: z
    .string()
    .regex(/^[0-9a-fA-F]{8}$/)
    .describe("GMK-ID, 8 hexadecimal digits"),
  user: uri.describe("MC service user ID, percent-encoded"),
  rekey: z
    .string()
    .regex(/^[0-9]{1,15}$/)
    .describe("number of the rekey"),
} as const;
