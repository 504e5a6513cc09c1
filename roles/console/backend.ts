/**
 * The servers behind the console: the operations of KMS, GMS and MCX server, each as its own part of the process has
 * them.
 */
import type { GmsAdmin, GmsEvents } from "../gms/common/ports.ts";
import type { KmsAdmin } from "../kms/admin/admin.ts";
import type { McxState } from "../mcx/admin/metrics.ts";
import type { ProcessRecord } from "../server/process-reports.ts";
import type { ServerName } from "./messages.ts";

/** The admin API of a server, on loopback. */
export interface AdminApi {
  readonly url: string;
  readonly token: string;
}

/** Access tokens of an MC user, by server. */
export interface TalkTokens {
  readonly kms: string;
  readonly gms: string;
  readonly mcx: string;
  /** Seconds that they are good for. */
  readonly lifetime: number;
}

/** The servers as a dispatcher's browser reaches them, as a member. */
export interface TalkBackend {
  /** `url`: by which the KMS itself is known; browsers go by way of the console. */
  readonly kms: { readonly url: string; readonly uri: string };
  /** `sip`: a WebSocket. */
  readonly gms: { readonly uri: string; readonly sip: string };
  /** `media`: origin of the WebSockets of media. */
  readonly mcx: { readonly uri: string; readonly sip: string; readonly media: string };
  /** Development tokens. Rejects with usage NO_DEVELOPMENT_TOKENS where a server has a real issuer. */
  readonly tokens: (user: string) => Promise<TalkTokens>;
  /** Passes a user's request on to the KMS. */
  readonly askKms: (path: string, body: Uint8Array, authorization: string) => Promise<Response>;
}

export interface ConsoleBackend {
  readonly gms: Pick<GmsAdmin, "rekeys" | "deliveries" | "loseUser" | "lostUser">;
  /** Events of this process are told at once; those of others on the same database are looked for. */
  readonly on: (events: Partial<GmsEvents>) => () => void;
  readonly kms?: Pick<KmsAdmin, "as">;
  readonly mcx?: Pick<McxState, "sessions" | "clients" | "emergencies" | "onEmergency" | "onCall">;
  /** Processes of GMS and MCX server, on other machines too. */
  readonly processes: () => Promise<readonly ProcessRecord[]>;
  readonly apis: Readonly<Partial<Record<ServerName, AdminApi>>>;
  readonly identities: Readonly<Partial<Record<ServerName, string>>>;
  /** Undefined where no dispatcher takes part in calls. */
  readonly talk?: TalkBackend | undefined;
}
