/** Counters for Prometheus, in a registry of their own. */
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { KmsMetrics } from "./metrics.ts";

export interface PrometheusMetrics extends KmsMetrics {
  readonly contentType: string;
  /** The exposition text. */
  text(): Promise<string>;
}

/** Seconds: an answer out of the store to one that waited for a batch of new keys. */
const BUCKETS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export function createPrometheusMetrics(): PrometheusMetrics {
  const registers = [new Registry()];
  const answers = new Counter({
    name: "kms_answers_total",
    help: "Answers by request type and by ok or the code of the refusal",
    labelNames: ["type", "code"],
    registers,
  });
  const seconds = new Histogram({
    name: "kms_answer_seconds",
    help: "Time to the answer by request type",
    labelNames: ["type"],
    buckets: BUCKETS,
    registers,
  });
  const keySets = new Counter({ name: "kms_key_sets_total", help: "Key sets given out", registers });
  const requests = new Gauge({ name: "kms_requests_in_flight", help: "Requests being worked on", registers });
  const clock = new Gauge({
    name: "kms_clock_ahead_seconds",
    help: "How far this host's clock is ahead of the database's",
    registers,
  });
  const [registry] = registers;
  return {
    answered(type, code, milliseconds) {
      answers.inc({ type, code });
      seconds.observe({ type }, Math.max(0, milliseconds) / 1000);
    },
    issued(count) {
      keySets.inc(count);
    },
    inFlight(count) {
      requests.set(count);
    },
    clock(secondsAhead) {
      clock.set(secondsAhead);
    },
    contentType: registry!.contentType,
    text: () => registry!.metrics(),
  };
}
