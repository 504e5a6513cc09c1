/** Counters for Prometheus, in a registry of their own. */
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { GmsMetrics } from "./metrics.ts";

export interface PrometheusMetrics extends GmsMetrics {
  readonly contentType: string;
  /** The exposition text. */
  text(): Promise<string>;
}

/** Seconds: an answer out of the store to a NOTIFY whose answer came by retransmission. */
const BUCKETS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export function createPrometheusMetrics(): PrometheusMetrics {
  const registry = new Registry();
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: L[] = []) =>
    new Counter({ name: `gms_${name}`, help, labelNames, registers });
  const gauge = (name: string, help: string) => new Gauge({ name: `gms_${name}`, help, registers });
  const histogram = <L extends string>(name: string, help: string, labelNames: L[] = []) =>
    new Histogram({ name: `gms_${name}`, help, labelNames, buckets: BUCKETS, registers });

  const answers = counter("answers_total", "HTTP answers by type and by ok or refusal", ["type", "code"]);
  const answerSeconds = histogram("answer_seconds", "Time to the HTTP answer by type", ["type"]);
  const requests = gauge("requests_in_flight", "HTTP requests being worked on");
  const subscribes = counter("subscribes_total", "SUBSCRIBEs by ok or refusal", ["code"]);
  const subscriptions = gauge("subscriptions", "SIP subscriptions held by this process");
  const notifies = counter("notifies_total", "NOTIFYs by the status of their answer", ["result"]);
  const notifySeconds = histogram("notify_seconds", "Time to the answer of a NOTIFY");
  const notifying = gauge("notifies_in_flight", "NOTIFYs without an answer yet");
  const rekeys = counter("rekeys_total", "Rekeys by kind", ["kind"]);
  const rekeyMembers = counter("rekey_members_total", "Members of rekeys by kind", ["kind"]);
  const messages = counter("messages_sealed_total", "Messages sealed and stored");
  const chunkSeconds = histogram("chunk_seconds", "Time to seal and store a chunk");
  const failures = counter("seal_failures_total", "Chunks that failed by code", ["code"]);
  const deliveries = counter("deliveries_total", "Deliveries by the state they came into", ["state"]);
  const groups = gauge("groups", "Groups in the store");
  const members = gauge("members", "Members of groups in the store");
  const running = gauge("running_rekeys", "Rekeys that are not finished");
  const backlog = gauge("backlog", "Messages that are not sealed or not delivered");
  const oldest = gauge("oldest_message_seconds", "Age of the oldest message not sealed or not delivered");
  const hostClock = gauge("clock_ahead_seconds", "How far this host's clock is ahead of the database's");
  const messageClock = gauge("message_time_ahead_seconds", "How far T is ahead of the database's clock");
  return {
    answered(type, code, milliseconds) {
      answers.inc({ type, code });
      answerSeconds.observe({ type }, Math.max(0, milliseconds) / 1000);
    },
    inFlight: (count) => requests.set(count),
    subscribed: (code) => subscribes.inc({ code }),
    subscriptions: (count) => subscriptions.set(count),
    notified(result, milliseconds) {
      notifies.inc({ result });
      notifySeconds.observe(Math.max(0, milliseconds) / 1000);
    },
    notifiesInFlight: (count) => notifying.set(count),
    rekeyed(kind, count) {
      rekeys.inc({ kind });
      rekeyMembers.inc({ kind }, count);
    },
    sealed(count, milliseconds) {
      messages.inc(count);
      chunkSeconds.observe(Math.max(0, milliseconds) / 1000);
    },
    sealFailed: (code) => failures.inc({ code }),
    delivered: (state, count) => deliveries.inc({ state }, count),
    store(counts) {
      groups.set(counts.groups);
      members.set(counts.members);
      running.set(counts.runningRekeys);
      backlog.set(counts.backlog);
      oldest.set(counts.oldestAge / 1000);
    },
    clocks({ hostAhead, messagesAhead }) {
      hostClock.set(hostAhead);
      messageClock.set(messagesAhead);
    },
    contentType: registry.contentType,
    text: () => registry.metrics(),
  };
}
