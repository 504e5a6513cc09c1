/**
 * Configuration of an MCX server, as data. Unknown keys are refused, since a misspelt limit is no limit. Times are in
 * seconds unless a name says otherwise.
 */
import { isIP } from "node:net";
import { z } from "zod";
import { MAX_SEALED_FILE_BYTES } from "../../../bindings/mcdata/index.ts";
import { TOLERANCES } from "../../../bindings/mikey/tolerance.ts";
import { admissionSchema } from "../../server/admission.ts";
import { databaseSchema } from "../../server/database-config.ts";
import type { TokenAudience } from "../../server/development-tokens.ts";
import { faultsOf } from "../../server/faults.ts";
import { isLoopback } from "../../server/loopback.ts";
import { networkSchema } from "../../server/networks.ts";
import { mayListen, PLAIN_FAULT } from "../../server/plain-sip.ts";
import { provisioningSchema } from "../../server/provisioning-config.ts";
import { sipSchema } from "../../server/sip-config.ts";
import { tokenConfigSchema } from "../../server/token-config.ts";
import { refusedConfig } from "./errors.ts";

const uri = z.string().min(1).max(1024);
const port = z.number().int().min(0).max(65535);
const count = z.number().int().min(1);
const address = z.string().refine((text) => isIP(text) !== 0, "must be an IP address");

/** TS 33.180 B.4.2.2: a scope stands for the identity of its service. */
export const MCX_SCOPES = {
  "3gpp:mc:ptt_service": ["mcptt_id"],
  "3gpp:mc:video_service": ["mcvideo_id"],
  "3gpp:mc:data_service": ["mcdata_id"],
  // TS 33.179 of Release 13.
  "3gpp:mcptt:ptt_server": ["mcptt_id"],
};

const gms = z.strictObject({
  /** The GMS's identity, whose signature group keys have. */
  uri,
  /** The root URL of its group documents. */
  xcapRoot: z.url({ protocol: /^https?$/ }),
  /** File with the access token for it, read anew for each request; that of `provisioning` when absent. */
  tokenFile: z.string().min(1).optional(),
});

const media = z.strictObject({
  /** Address of the sockets of media and floor control, which clients send to. */
  host: address.default("127.0.0.1"),
  /** Address that clients are told in its place, where they see another. */
  advertisedHost: address.optional(),
  /** Networks that a client may have media sent to, besides the address that its signalling comes from. */
  allowedNetworks: z.array(networkSchema).default([]),
  /** The sockets of groups have these ports, two for each group and four for a call with video; 0: any that are free. */
  firstPort: port.default(0),
  lastPort: port.default(0),
  /** On `sip.host`, for legs over WebSockets, as pages have them: one of both. Pages are those of `sip.origins`. */
  wsPort: port.optional(),
  wssPort: port.optional(),
  /** Packets for all go out once: each group has an address of its own, from this one on. */
  multicast: z
    .strictObject({
      firstAddress: z
        .string()
        .regex(/^239(?:\.(?:\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])){3}$/, "must be 239.x.x.x"),
      /** Port of media; floor control uses the next one. */
      port: z.number().int().min(1024).max(65534),
      /** Address of the interface; `host` when absent. */
      interface: address.optional(),
    })
    .optional(),
});

const floor = z.strictObject({
  /** How long one may talk (T2). */
  talkLimit: count.default(30),
  /** How long media of a talker who was told to stop still go out (T3). */
  stopGrace: count.default(3),
  /** Silence after which a talker who sends nothing loses the floor (T1). */
  endOfMedia: count.default(4),
  /** Requests that wait. */
  maxQueue: z.number().int().min(0).default(16),
  /** Priority from which on a request takes the floor. */
  preemptFrom: z.number().int().min(0).max(255).default(200),
  /** Floor control messages of one participant that are answered; three times as many may come together. */
  messagesPerSecond: count.max(100).default(5),
});

const video = z.strictObject({
  /** How many members of a group may transmit at a time. */
  transmitters: count.max(16).default(1),
  /** How long one may transmit. */
  transmitLimit: count.default(300),
  /** Whether members receive a transmission at once, or when their client asks for it (TS 24.581 6.3.6.3.3). */
  reception: z.enum(["automatic", "manual"]).default("automatic"),
  /** Packets of one transmission that are relayed; as many may come together. */
  packetsPerSecond: count.max(100_000).default(2000),
});

const sessionTimer = z.strictObject({
  /** A call whose client says nothing for so long ends (RFC 4028). The client refreshes it at half the time. */
  expires: count.default(90),
  /** The shortest time that a client may ask for; the standard has at least 90. */
  minimum: count.default(90),
});

const limits = z.strictObject({
  /** Octets of the body of a SIP request. */
  bodyBytes: count
    .min(1024)
    .max(1 << 20)
    .default(64 << 10),
  /** Clients that are bound. */
  clients: count.default(20_000),
  /** Calls of groups and private calls together. */
  sessions: count.default(1000),
  participants: count.default(1000),
  /** Longest binding of a client. */
  maxExpires: count.min(60).default(3600),
  /** How old may be what is known of a group's members, in milliseconds. */
  directoryMs: count.default(2000),
  /** How often the server looks for group keys that the GMS gives it, in milliseconds. */
  keysMs: count.default(5000),
  /** After which another process takes over the groups of one that fell silent. */
  leaseSeconds: count.default(3),
  /** Messages that are kept for a user whom they cannot be brought to; the oldest give way. */
  messagesPerUser: z.number().int().min(0).default(100),
  /** How long they are kept, in seconds; and how long a user who has no client is known. */
  keepMessages: count.default(86_400),
  /** Octets of all messages that are kept, of all processes on a database together. Each counts 512 more. */
  messageBytes: count.default(64 << 20),
  ...admissionSchema,
  /** To receive one whole message. */
  requestTimeout: count.default(10),
  /** To finish what was begun when the server stops. */
  stopTimeout: count.default(10),
});

const files = z.strictObject({
  /** On `sip.host`: members upload and fetch files here, over HTTPS where there is `tls`. */
  port,
  /** Scheme, host and port that clients use, where they differ, as behind a proxy. */
  origin: z.url({ protocol: /^https?$/ }).optional(),
  /** Octets of a sealed file. */
  maxBytes: count.max(MAX_SEALED_FILE_BYTES).default(4 << 20),
  /**
   * Octets of all files, of all processes on a database together. Each file counts 1,024 more; a user may have a quarter of
   * them.
   */
  totalBytes: count.default(64 << 20),
  /** How long a file is kept. */
  keep: count.default(86_400),
});

export const mcxConfigSchema = z
  .strictObject({
    /** The public service identity: clients send to it, CSKs are encrypted to it, it is the MDSI (5.4). */
    mcxUri: uri,
    /** KmsUri of the KMS that keys the server, and its clients. */
    kmsUri: uri,
    /** The URL of that KMS. */
    kmsUrl: z.url({ protocol: /^https?$/ }).optional(),
    provisioning: provisioningSchema.optional(),
    gms: gms.optional(),
    /** PEM files, for SIP over TLS. */
    tls: z.strictObject({ certFile: z.string().min(1), keyFile: z.string().min(1) }).optional(),
    sip: sipSchema.prefault({ udpPort: 5070, tcpPort: 5070 }),
    media: media.prefault({}),
    /** Without it there is no file distribution. */
    files: files.optional(),
    floor: floor.prefault({}),
    /** Calls of MCVideo; what is not here they have from `floor`. */
    video: video.prefault({}),
    sessionTimer: sessionTimer.prefault({}),
    /** How many members of a group may talk at a time. */
    speakers: count.max(16).default(1),
    /** Whether media of groups whose key the GMS gave to this server are mixed; otherwise they are only distributed. */
    mixing: z.boolean().default(true),
    /** Whether INVITE and MESSAGE of clients that do not bind them to themselves are taken without TLS too. */
    acceptUnbound: z.boolean().default(false),
    /**
     * Departures from TS 33.180 in I_MESSAGEs of clients and of the GMS that are taken, by the names of `--tolerate`.
     */
    tolerate: z.array(z.enum([...TOLERANCES.keys()])).default([]),
    /** Health, metrics and sessions. */
    admin: z.strictObject({ host: z.string().default("127.0.0.1"), port: port.default(8447) }).prefault({}),
    /**
     * Database shared by the processes of this server; without it there is one process. Used by the caller that opens
     * the store.
     */
    database: databaseSchema.optional(),
    /** File with the 32 octets of the key-encrypting key. Used by the caller that opens the store. */
    storeKeyFile: z.string().min(1).optional(),
    /** Absent: `createMcxServer` must be given a verifier, or the development issuer on loopback addresses. */
    tokens: tokenConfigSchema(MCX_SCOPES).optional(),
    limits: limits.prefault({}),
  })
  .refine((c) => isLoopback(c.admin.host), { path: ["admin", "host"], message: "must be a loopback address" })
  .refine((c) => mayListen(c.sip), PLAIN_FAULT)
  .refine((c) => c.media.wsPort === undefined || c.media.wssPort === undefined, {
    path: ["media", "wsPort"],
    message: "an answer names one: wsPort or wssPort",
  })
  .refine((c) => c.media.wsPort === undefined || isLoopback(c.sip.host) || c.sip.allowPlain, {
    path: ["media", "wsPort"],
    message: "beyond loopback media have wssPort; wsPort needs sip.allowPlain: true",
  })
  .refine((c) => c.sip.udpPort === undefined || c.sip.tcpPort !== undefined, {
    path: ["sip", "tcpPort"],
    message: "needed beside udpPort: large requests go over TCP (RFC 3261 18.1.1)",
  })
  .refine(
    (c) => c.media.firstPort <= c.media.lastPort && (c.media.firstPort === 0) === (c.media.lastPort === 0),
    {
      path: ["media", "lastPort"],
      message: "must not be less than firstPort, and 0 with it",
    },
  );

/** Keys that may change while an MCX server runs; one of an object stands for all that is in it. */
export const MCX_RELOADABLE = [
  "tokens",
  "floor",
  "video",
  "sessionTimer",
  "acceptUnbound",
  "limits.sessions",
  "limits.participants",
  "limits.maxExpires",
  "limits.stopTimeout",
] as const;

export type McxConfig = z.output<typeof mcxConfigSchema>;
/** The form in which it may be written: everything with a default may be left out. */
export type McxConfigInput = z.input<typeof mcxConfigSchema>;

/** The server of that identity, for an issuer of development tokens. */
export const mcxAudience = (mcxUri: string): TokenAudience => ({ uri: mcxUri, scopes: MCX_SCOPES });

/**
 * Checks a configuration and fills in the defaults.
 *
 * @throws {MikeySakkeError} usage `BAD_CONFIG` that names the wrong keys
 */
export function parseMcxConfig(value: unknown): McxConfig {
  const parsed = mcxConfigSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw refusedConfig(faultsOf(parsed.error));
}
