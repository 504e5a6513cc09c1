/**
 * Configuration of a GMS, as data: what an operator writes in a file and an embedder in code. Unknown keys are refused,
 * since a misspelt limit is no limit. Times are in seconds unless a name says otherwise.
 */
import { z } from "zod";
import { admissionSchema } from "../../server/admission.ts";
import { databaseSchema } from "../../server/database-config.ts";
import type { TokenAudience } from "../../server/development-tokens.ts";
import { faultsOf } from "../../server/faults.ts";
import { isLoopback } from "../../server/loopback.ts";
import { mayListen, PLAIN_FAULT } from "../../server/plain-sip.ts";
import { provisioningSchema } from "../../server/provisioning-config.ts";
import { sipPorts, sipSchema } from "../../server/sip-config.ts";
import { tokenConfigSchema } from "../../server/token-config.ts";
import { refusedConfig } from "./errors.ts";

const uri = z.string().min(1).max(1024);
const seconds = z.number().int().min(0);
const port = z.number().int().min(0).max(65535);
const count = z.number().int().min(1);
const count0 = z.number().int().min(0).max(100_000);

/** TS 33.180 B.4.2.2: a scope stands for the identity of its service. */
export const GMS_SCOPES = {
  "3gpp:mc:ptt_group_management_service": ["mcptt_id"],
  "3gpp:mc:video_group_management_service": ["mcvideo_id"],
  "3gpp:mc:data_group_management_service": ["mcdata_id"],
  // TS 33.179 of Release 13.
  "3gpp:mcptt:group_management_server": ["mcptt_id"],
};

const policy = z.strictObject({
  /**
   * A GMK made before that is replaced so long before the key period of the GMS's KMS ends, or up to half as long, so that
   * not all are at once, while everybody has keys that open it; a twelfth of the period at most. 0: never.
   */
  rekeyBeforePeriodEnd: seconds.default(86400),
  /** The same before a GMK expires, half its life at most. 0: never. */
  rekeyBeforeExpiry: seconds.default(86400),
  /** Expiry of a GMK after its activation where neither request nor group says so. 0: never. */
  gmkLifetime: seconds.default(30 * 86400),
  /** From the removal of a member to the revocation of the GMKs that they hold, for what is under way. */
  revokeGrace: seconds.default(30),
  /** From the making of a GMK to its activation where the request does not say so. */
  activationDelay: seconds.default(0),
  /** How long ended rekeys are kept, with what became of each member, once their GMK is out of use. 0: for ever. */
  retention: seconds.default(30 * 86400),
  /** Days that audit entries are kept. 0: for ever. */
  auditDays: count0.default(400),
  /** The same for refused requests from users for whom no token vouches. */
  anonymousAuditDays: count0.default(7),
  /** UIDs in place of URIs (TS 33.180 5.2.6). */
  hideInitiator: z.boolean().default(false),
  hideResponder: z.boolean().default(false),
  /** The same key for the GMS's own identity in every message (5.2.5). */
  toSelf: z.boolean().default(false),
});

const limits = z.strictObject({
  /** Octets in the body of an HTTP request or a SIP SUBSCRIBE. */
  bodyBytes: count
    .min(1024)
    .max(16 << 20)
    .default(256 << 10),
  /** HTTP requests worked on at a time; more are turned away with 503. */
  inFlight: count.default(256),
  /** To receive one whole request. */
  requestTimeout: seconds.min(1).default(10),
  ...admissionSchema,
  /** To finish what was begun when the server stops. */
  stopTimeout: seconds.default(10),
  /** Audit entries a minute for requests that no token vouches for; the rest are only counted. */
  anonymousAuditPerMinute: z.number().int().min(0).default(600),
  /** The same for refused requests of one identity. */
  refusedAuditPerMinute: z.number().int().min(0).default(600),
  /** GUK-IDs have 28 bits: with many more hardly any GMK gives all members different ones. */
  membersPerGroup: count.max(40_000).default(20_000),
  /** Groups that share one GMK; their number has 8 bits (E.6). */
  groupsPerGmk: count.max(255).default(64),
  /** SIP subscriptions of this process, and those of one identity. */
  subscriptions: count.default(20_000),
  subscriptionsPerUser: count.default(8),
  /** Documents that one SUBSCRIBE may list. */
  subscribedDocuments: count.default(256),
  /** Longest subscription that is granted, and the shortest that may be asked for (423). */
  maxExpires: seconds.min(60).default(86400),
  minExpires: seconds.default(60),
  /** NOTIFYs of this process that have no answer yet. */
  notifiesInFlight: count.default(500),
  /** Messages in one NOTIFY. */
  messagesPerNotify: count.default(16),
  /** Members that are sealed and stored together. */
  chunkSize: count.max(1024).default(256),
  /** Chunks of this process that are sealed and stored at a time. */
  chunksInFlight: count.max(16).default(2),
  /** After which the work of a process that fell silent is taken over. */
  leaseSeconds: seconds.min(1).default(15),
  /** How often the store is looked at for what other processes did, in milliseconds, while the database cannot tell. */
  pollMs: count.default(500),
  /** Most that the clocks of this host and of the database may differ by: beyond it this process does nothing. */
  clockDifference: seconds.min(1).default(5),
  /** Longest wait between two tries of a chunk or a delivery. The first comes after a second, the others ever later. */
  retrySeconds: seconds.min(1).default(300),
  /** Tries of a delivery before the member counts as unreachable. */
  deliveryTries: count.default(10),
  /** A member without a subscription for so long counts as unreachable; it gets its messages when it shows up. */
  offlineAfterSeconds: seconds.default(3600),
});

export const gmsConfigSchema = z
  .strictObject({
    /** The GMS's identity: signs the messages (IDRi) and is what members trust. */
    gmsUri: uri,
    /** KmsUri of the KMS that keys the GMS, and members for whom no other is named. */
    kmsUri: uri,
    /** The URL of that KMS. */
    kmsUrl: z.url({ protocol: /^https?$/ }).optional(),
    provisioning: provisioningSchema.optional(),
    /** KMSs of members besides it (5.2.7); their certificates come from the GMS's KMS. */
    externalKms: z.array(uri).default([]),
    /** Whether the KMSs that the GMS's KMS lists count as well. */
    acceptListedKms: z.boolean().default(true),
    /** XCAP. */
    listen: z.strictObject({ host: z.string().default("127.0.0.1"), port: port.default(8445) }).prefault({}),
    /** PEM files. Without them the server speaks plain HTTP, and on loopback only: for a proxy on the same machine. */
    tls: z.strictObject({ certFile: z.string().min(1), keyFile: z.string().min(1) }).optional(),
    /** Path of the XCAP root. */
    xcapPath: z
      .string()
      .regex(/^(?:\/[A-Za-z0-9._~-]+)+$/, "must be /… without a slash at the end")
      .default("/xcap"),
    /** Origins by which clients reach it, as `https://gms.example.org`; the first is in the XCAP root of documents. */
    urls: z.array(z.url({ protocol: /^https?$/ })).default([]),
    /** Origins of pages that may use it. */
    browserOrigins: z.array(z.url()).default([]),
    /** MC service user IDs that may make groups by putting their documents; they become the managers. */
    groupCreators: z.array(uri).default([]),
    /** Identities of MCX servers that may read all group documents, without any keys. */
    groupReaders: z.array(uri).default([]),
    /** Health, metrics and the admin API. */
    admin: z.strictObject({ host: z.string().default("127.0.0.1"), port: port.default(8446) }).prefault({}),
    /** Absent: no SIP. */
    sip: sipSchema.optional(),
    /** Absent: `createGms` must be given a verifier, or the development issuer on loopback addresses. */
    tokens: tokenConfigSchema(GMS_SCOPES).optional(),
    policy: policy.prefault({}),
    limits: limits.prefault({}),
    /** For whoever opens the store: PostgreSQL, or a folder for PGlite. */
    database: databaseSchema.optional(),
    /** For whoever opens the store: file with the 32 octets of the key-encrypting key. */
    storeKeyFile: z.string().min(1).optional(),
    /** Worker threads that seal messages; 0: none. */
    workers: z.number().int().min(0).max(256).default(0),
  })
  .refine((c) => isLoopback(c.admin.host), { path: ["admin", "host"], message: "must be a loopback address" })
  .refine((c) => c.sip === undefined || mayListen(c.sip), PLAIN_FAULT)
  .refine((c) => c.sip?.udpPort === undefined || c.sip.tcpPort !== undefined, {
    path: ["sip", "tcpPort"],
    message: "needed beside udpPort: large requests go over TCP (RFC 3261 18.1.1)",
  })
  .refine((c) => c.sip?.advertisedHost === undefined || !sipPorts(c.sip).includes(0), {
    path: ["sip", "advertisedHost"],
    message: "needs ports that are not 0",
  })
  .refine((c) => c.limits.minExpires <= c.limits.maxExpires, {
    path: ["limits", "minExpires"],
    message: "must not be more than maxExpires",
  });

/** Keys that may change while a GMS runs; one of an object stands for all that is in it. */
export const GMS_RELOADABLE = [
  "tokens",
  "policy",
  "groupCreators",
  "groupReaders",
  "limits.inFlight",
  "limits.stopTimeout",
  "limits.anonymousAuditPerMinute",
  "limits.refusedAuditPerMinute",
  "limits.membersPerGroup",
  "limits.groupsPerGmk",
  "limits.subscriptionsPerUser",
  "limits.subscribedDocuments",
  "limits.messagesPerNotify",
  "limits.chunkSize",
  "limits.chunksInFlight",
  "limits.retrySeconds",
  "limits.deliveryTries",
  "limits.offlineAfterSeconds",
] as const;

export type GmsConfig = z.output<typeof gmsConfigSchema>;
/** The form in which it may be written: everything with a default may be left out. */
export type GmsConfigInput = z.input<typeof gmsConfigSchema>;
export type GmsPolicy = GmsConfig["policy"];

/** The GMS of that URI, for an issuer of development tokens. */
export const gmsAudience = (gmsUri: string): TokenAudience => ({ uri: gmsUri, scopes: GMS_SCOPES });

/**
 * Checks a configuration and fills in the defaults.
 *
 * @throws {MikeySakkeError} usage `BAD_CONFIG` that names the wrong keys
 */
export function parseGmsConfig(value: unknown): GmsConfig {
  const parsed = gmsConfigSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw refusedConfig(faultsOf(parsed.error));
}
