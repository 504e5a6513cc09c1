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
}
