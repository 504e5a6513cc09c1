/** The messages of the console's listener to its page. Times are milliseconds since the Unix epoch. */
import type { DeliveryRecord, RekeyRecord } from "../../store/gms/records.ts";
import type { CallRecord, EmergencyState, SessionState } from "../mcx/admin/metrics.ts";
import type { ProcessRecord } from "../server/process-reports.ts";
import type { SeriesName } from "./series.ts";

export type ServerName = "kms" | "gms" | "mcx";

/** Answer to a sign-in, and to the question who one is. */
export interface SessionView {
  /** Whom the audit logs name. */
  readonly name: string;
  /** Goes into the header `csrf-token` of each change. */
  readonly csrf: string;
  readonly endsAt: number;
  readonly servers: readonly ServerName[];
  /** Identities of the servers, as far as they are known. */
  readonly identities: Readonly<Partial<Record<ServerName, string>>>;
  /** Origin of a push-to-talk page that gives development tokens. */
  readonly talkPage?: string;
  /** Whether operators can take part in calls from here. */
  readonly talks: boolean;
}

export interface LostPoint {
  readonly at: number;
  /** Members who have not said that they have the new key. */
  readonly withoutKey: number;
  /** Members who have not said that they know of a revocation. */
  readonly unaware: number;
  /** GMKs that are revoked. */
  readonly revoked: number;
}

/** The progress of the shutting out of a lost user. */
export interface LostView {
  readonly user: string;
  readonly reason: string;
  readonly actor: string;
  readonly startedAt: number;
  /** Groups that use a GMK which the user held. */
  readonly groups: readonly string[];
  /** How many GMKs the user held. */
  readonly gmks: number;
  /** Members who had something outstanding. */
  readonly others: number;
  /** The first hundred members who have not answered yet. */
  readonly outstanding: readonly string[];
  readonly done: boolean;
  /** The oldest first. */
  readonly course: readonly LostPoint[];
  /** Why it goes on no more, although it is not done. */
  readonly fault?: string;
}

export interface HealthView {
  readonly server: ServerName;
  readonly ok: boolean;
  /** Code of the fault, or what limits it. */
  readonly detail: string;
  /** Figures of its metrics, by name. */
  readonly figures: Readonly<Record<string, number>>;
}

/** Figures of one minute. Null: nothing was observed, or the server did not answer. */
export interface HistorySample {
  readonly at: number;
  readonly values: Readonly<Record<SeriesName, number | null>>;
}

/** All samples that are kept, the oldest first. */
export interface HistoryView {
  readonly times: readonly number[];
  readonly values: Readonly<Record<SeriesName, readonly (number | null)[]>>;
}

/** An emergency call. */
export interface AlarmView extends EmergencyState {
  readonly acknowledged?: { readonly by: string; readonly at: number };
}

/** Server-sent events, by name. */
export interface FeedEvents {
  /** The page asks anew for what it shows: what comes after this is all that changed since. */
  readonly hello: { readonly at: number };
  /** Settings or members of these groups. */
  readonly groups: { readonly groups: readonly string[] };
  readonly rekey: RekeyRecord;
  /** Deliveries in the group that the page watches. */
  readonly deliveries: { readonly rekey: number; readonly deliveries: readonly DeliveryRecord[] };
  readonly lost: LostView;
  readonly calls: { readonly sessions: readonly SessionState[]; readonly clients: readonly string[] };
  /** A call of a group whose record has changed. The MCX server lists the calls before it. */
  readonly call: CallRecord;
  /** All alarms that are kept. */
  readonly alarms: readonly AlarmView[];
  readonly health: readonly HealthView[];
  readonly processes: { readonly processes: readonly ProcessRecord[] };
  readonly sample: HistorySample;
  /** The session is over. */
  readonly bye: { readonly at: number };
}
