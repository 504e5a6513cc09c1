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

export interface McxState {
  sessions(): readonly SessionState[];
  /** The latest emergencies, the oldest first. */
  emergencies(): readonly EmergencyState[];
  /** Calls back at the begin of each emergency, until the function that it returns is called. */
  onEmergency(begun: (emergency: EmergencyState) => void): () => void;
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
