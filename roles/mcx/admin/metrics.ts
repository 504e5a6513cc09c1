/** Counters for Prometheus, read from the parts of the server when they are asked for. */
import { Counter, Gauge, Registry } from "prom-client";

export interface SessionState {
  readonly groupUri: string;
  readonly participants: readonly string[];
  /** Members who have the floor. */
  readonly talkers: readonly string[];
  /** Members who talk or wait for the floor with an emergency. */
  readonly emergencies: readonly string[];
  /** Whether this server mixes: it holds a key of the group. */
  readonly mixed: boolean;
  readonly counters: Readonly<Record<string, number>>;
}

/** An emergency call, from the first request for the floor with its indication. */
export interface EmergencyState {
  /** Counts the emergencies of this process from 1. */
  readonly id: number;
  readonly groupUri: string;
  /** The user who called. */
  readonly user: string;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
}

/** The call of a group, which goes on or is over. Times are milliseconds since the Unix epoch. */
export interface CallRecord {
  /** Counts the calls of this process from 1. */
  readonly id: number;
  readonly groupUri: string;
  /** The time at which the first user joined. */
  readonly from: number;
  /** The time at which the last user left; undefined while the call goes on. */
  readonly to?: number;
  /** The most users who were in it at a time. */
  readonly participants: number;
  /** The fifty users who talked last, or fewer; whoever talked last is at the end. */
  readonly talkers: readonly TalkerRecord[];
  /** The talk that ended last. */
  readonly last?: TalkRecord;
}

/** The talks of one user in a call, without one that goes on. */
export interface TalkerRecord {
  readonly user: string;
  /** The number of times that they had the floor. */
  readonly talks: number;
  /** Milliseconds for which they had it, altogether. */
  readonly ms: number;
}

/** One talk, from the grant of the floor to its release. */
export interface TalkRecord {
  readonly user: string;
  /** The time at which the floor was granted. */
  readonly at: number;
  /** Milliseconds for which the user had the floor. */
  readonly ms: number;
}

export interface McxState {
  sessions(): readonly SessionState[];
  /** The latest emergencies, the oldest first. */
  emergencies(): readonly EmergencyState[];
  /** Calls back at the begin of each emergency, until the function that it returns is called. */
  onEmergency(begun: (emergency: EmergencyState) => void): () => void;
  /** The latest calls of groups, the oldest first. */
  calls(): readonly CallRecord[];
  /** Calls back with a call whenever its record changes, until the function that it returns is called. */
  onCall(changed: (call: CallRecord) => void): () => void;
  /** Groups with a call of MCVideo. */
  videoCalls(): number;
  /** Private calls that are not over. */
  privateCalls(): number;
  /** Users that are bound. */
  clients(): readonly string[];
  /** Totals of MCData and of all sessions, including those that have ended, by name. */
  totals(): Readonly<Record<string, number>>;
}

export function metricsOf(state: McxState): { readonly contentType: string; text(): Promise<string> } {
  const registry = new Registry();
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name: `mcx_${name}`,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  gauge("clients", "Clients that are bound", () => state.clients().length);
  gauge("sessions", "Groups with a call", () => state.sessions().length);
  gauge("video_calls", "Groups with a call with video", () => state.videoCalls());
  gauge("private_calls", "Private calls", () => state.privateCalls());
  gauge("participants", "Participants of calls", () =>
    state.sessions().reduce((sum, { participants }) => sum + participants.length, 0),
  );
  new Counter({
    name: "mcx_events_total",
    help: "Packets and messages by what became of them",
    labelNames: ["event"],
    registers,
    collect() {
      this.reset();
      for (const [event, count] of Object.entries(state.totals())) this.inc({ event }, count);
    },
  });
  return { contentType: registry.contentType, text: () => registry.metrics() };
}
