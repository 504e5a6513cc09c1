/**
 * Configuration of a KMS, as data: what an operator writes in a file and an embedder in code. Unknown keys are
 * refused, since a misspelt limit is no limit. Times are in seconds.
 */
import { z } from "zod";
import { MikeySakkeError } from "../../../base/errors.ts";
import { admissionSchema } from "../../server/admission.ts";
import { databaseSchema } from "../../server/database-config.ts";
import type { TokenAudience } from "../../server/development-tokens.ts";
import { faultsOf } from "../../server/faults.ts";
import { isLoopback } from "../../server/loopback.ts";
import { tokenConfigSchema } from "../../server/token-config.ts";

const uri = z.string().min(1).max(1024);
const seconds = z.number().int().min(0);
const port = z.number().int().min(0).max(65535);

/** B.4.2.2: a scope lets its holder use the KMS for one service, so it stands for the identity of that service. */
const KMS_SCOPES = {
  "3gpp:mc:ptt_key_management_service": ["mcptt_id"],
  "3gpp:mc:video_key_management_service": ["mcvideo_id"],
  "3gpp:mc:data_key_management_service": ["mcdata_id"],
  // TS 33.179 of Release 13.
  "3gpp:mcptt:key_management_server": ["mcptt_id"],
};

/**
 * An identity that is no user's: a token gets its keys by `clientId`, by `scope`, or by both if both are given. By
 * `clientId` alone only a token without any user's identity does (client credentials grant): the users of an
 * application have tokens with its `client_id` too. A `scope` must be one that the issuer grants to the server alone.
 */
const server = z
  .strictObject({
    uri,
    kind: z.enum(["gms", "mcx-server", "signalling-proxy"]),
    clientId: z.string().min(1).optional(),
    scope: z.string().min(1).optional(),
  })
  .refine((s) => s.clientId !== undefined || s.scope !== undefined, "needs clientId or scope");

const policy = z.strictObject({
  /** Key periods after the present one whose keys are given out. */
  periodsAhead: z.number().int().min(0).max(120).default(1),
  /** Key periods before the present one, for those who name a time. */
  periodsBack: z.number().int().min(0).max(120).default(1),
  /** How long before its start the next period's keys come along unasked; a whole period when absent. */
  provisionNextWithin: seconds.optional(),
  /** Whether an identity that a token proves needs no enrolment by the operator. */
  autoEnrol: z.boolean().default(true),
  /** URIs of KMSs that users may be keyed by besides this one (5.3.1). */
  migrationKms: z.array(uri).default([]),
  /** URIs of KMSs whose users may be communicated with (5.3.1). */
  externalKms: z.array(uri).default([]),
  /** Age of a request by its Time (D.2.2 says "e.g. 5 seconds"). */
  requestMaxAge: seconds.default(5),
  /** Difference of clocks on top of it, and the most that Time may lie ahead. */
  clockSkew: seconds.max(300).default(5),
  /**
   * Every request must be a SignedKmsRequest; an empty body is refused then. A user who has an InK is asked for it anyway.
   */
  requireSignature: z.boolean().default(false),
  /** Keys are given out wrapped with a TrK only. A token with an identity that has a TrK never gets them otherwise. */
  requireTransportKey: z.boolean().default(false),
  /**
   * Age at which a TrK or InK is replaced in the next response; not where devices share keys. 0: by the operator only.
   */
  transportKeyLifetime: seconds.default(0),
  /** Whether requests must be valid by the schema. */
  strictSchema: z.boolean().default(false),
  /** Days that audit entries are kept. 0: for ever. */
  auditDays: seconds.max(100_000).default(400),
  /** The same for refused requests without a valid token. */
  anonymousAuditDays: seconds.max(100_000).default(7),
});

const limits = z.strictObject({
  bodyBytes: z
    .number()
    .int()
    .min(1024)
    .max(16 << 20)
    .default(64 << 10),
  /** Requests worked on at a time; more are turned away with 503. */
  inFlight: z.number().int().min(1).default(256),
  /** To receive one whole request. */
  requestTimeout: seconds.min(1).default(10),
  ...admissionSchema,
  /** To finish what was begun when the server stops. */
  stopTimeout: seconds.default(10),
  /** Audit entries a minute for requests that no token vouches for; the rest are only counted. */
  anonymousAuditPerMinute: z.number().int().min(0).default(600),
  /** The same for refused requests of one identity. */
  refusedAuditPerMinute: z.number().int().min(0).default(600),
  /** How old the knowledge of the master keys may be, which another process may have changed. */
  masterAge: seconds.default(10),
  /** Most that the clocks of this host and of the database may differ by: beyond it this process is not ready. */
  clockDifference: seconds.min(1).default(5),
});

export const kmsConfigSchema = z
  .strictObject({
    /** KmsUri: it is hashed into every UID, exactly as written here. */
    kmsUri: uri,
    listen: z.strictObject({ host: z.string().default("127.0.0.1"), port: port.default(8443) }).prefault({}),
    /** PEM files. Without them the server speaks plain HTTP, and on loopback only: for a proxy on the same machine. */
    tls: z.strictObject({ certFile: z.string().min(1), keyFile: z.string().min(1) }).optional(),
    /** Origins by which clients reach the KMS, as `https://kms.example.org`; see `own-urls.ts` for the default. */
    urls: z.array(z.url({ protocol: /^https?$/ })).default([]),
    /** Origins of pages that may use the KMS. */
    browserOrigins: z.array(z.url()).default([]),
    /** Health, metrics and the admin API. */
    admin: z.strictObject({ host: z.string().default("127.0.0.1"), port: port.default(8444) }).prefault({}),
    /** P3 and P4 of F.2.1. They take effect when the KMS is made. */
    userKeyPeriod: z.number().int().min(60).default(2592000),
    userKeyOffset: z.number().int().min(0).default(0),
    /** KmsDomainList of the certificate. */
    domains: z.array(uri).default([]),
    /** Issuer of the certificate. */
    issuer: z.string().min(1).optional(),
    /** Absent: `createKms` must be given a verifier, or the development issuer on a loopback address. */
    tokens: tokenConfigSchema(KMS_SCOPES).optional(),
    servers: z.array(server).default([]),
    policy: policy.prefault({}),
    limits: limits.prefault({}),
    /** PostgreSQL, or a folder for PGlite. Used by the caller that opens the store. */
    database: databaseSchema.optional(),
    /** File with the 32 octets of the key-encrypting key. Used by the caller that opens the store. */
    storeKeyFile: z.string().min(1).optional(),
    /** Worker threads that issue keys; 0: none. */
    workers: z.number().int().min(0).max(256).default(0),
  })
  .refine((c) => c.userKeyOffset < c.userKeyPeriod, {
    path: ["userKeyOffset"],
    message: "must be less than userKeyPeriod (F.2.1)",
  })
  .refine((c) => isLoopback(c.admin.host), {
    path: ["admin", "host"],
    message: "must be a loopback address",
  });

/** Keys that may change while a KMS runs; one of an object stands for all that is in it. */
export const KMS_RELOADABLE = [
  "tokens",
  "policy",
  "limits.inFlight",
  "limits.stopTimeout",
  "limits.anonymousAuditPerMinute",
  "limits.refusedAuditPerMinute",
  "limits.masterAge",
] as const;

export type KmsConfig = z.output<typeof kmsConfigSchema>;
/** The form in which it may be written: everything with a default may be left out. */
export type KmsConfigInput = z.input<typeof kmsConfigSchema>;
export type ServerIdentity = KmsConfig["servers"][number];
export type KmsPolicy = KmsConfig["policy"];

/** The KMS of that URI, for an issuer of development tokens. */
export const kmsAudience = (kmsUri: string): TokenAudience => ({ uri: kmsUri, scopes: KMS_SCOPES });

/**
 * Checks a configuration and fills in the defaults.
 *
 * @throws {MikeySakkeError} usage `BAD_CONFIG` that names the wrong keys
 */
export function parseKmsConfig(value: unknown): KmsConfig {
  const parsed = kmsConfigSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new MikeySakkeError("usage", "BAD_CONFIG", `KMS configuration: ${faultsOf(parsed.error)}`);
}
