/** The figures of the last day that the console plots, and how each is read from two expositions of a server's metrics. */
import { labelOf, type Sample } from "./exposition.ts";

/**
 * rate: how far counters have risen, per second. value: gauges added up. quantile: seconds within which 95 of 100
 * observations were, by the buckets of a histogram.
 */
type Kind = "rate" | "value" | "quantile";

interface Series {
  readonly server: "kms" | "gms" | "mcx";
  readonly metric: string;
  readonly kind: Kind;
  /** Samples that count; all of the metric when absent. */
  readonly of?: (sample: Sample) => boolean;
}

const isRefusal = (sample: Sample) => labelOf(sample, "code") !== "ok";
const isEvent =
  (...names: string[]) =>
  (sample: Sample) =>
    names.includes(labelOf(sample, "event") ?? "");
const isState = (state: string) => (sample: Sample) => labelOf(sample, "state") === state;

export const SERIES = {
  kmsAnswers: { server: "kms", metric: "kms_answers_total", kind: "rate" },
  gmsAnswers: { server: "gms", metric: "gms_answers_total", kind: "rate" },
  subscribes: { server: "gms", metric: "gms_subscribes_total", kind: "rate" },
  notifies: { server: "gms", metric: "gms_notifies_total", kind: "rate" },
  kmsRefusals: { server: "kms", metric: "kms_answers_total", kind: "rate", of: isRefusal },
  gmsRefusals: { server: "gms", metric: "gms_answers_total", kind: "rate", of: isRefusal },
  subscribeRefusals: { server: "gms", metric: "gms_subscribes_total", kind: "rate", of: isRefusal },
  kmsLatency: { server: "kms", metric: "kms_answer_seconds", kind: "quantile" },
  gmsLatency: { server: "gms", metric: "gms_answer_seconds", kind: "quantile" },
  notifyLatency: { server: "gms", metric: "gms_notify_seconds", kind: "quantile" },
  sealLatency: { server: "gms", metric: "gms_chunk_seconds", kind: "quantile" },
  sealed: { server: "gms", metric: "gms_messages_sealed_total", kind: "rate" },
  accepted: { server: "gms", metric: "gms_deliveries_total", kind: "rate", of: isState("acknowledged") },
  refused: { server: "gms", metric: "gms_deliveries_total", kind: "rate", of: isState("refused") },
  mediaPackets: {
    server: "mcx",
    metric: "mcx_events_total",
    kind: "rate",
    of: isEvent("forwarded", "mixed"),
  },
  mediaRefused: {
    server: "mcx",
    metric: "mcx_events_total",
    kind: "rate",
    of: isEvent("strangers", "notMedia", "withoutFloor", "otherStream", "copies"),
  },
  clients: { server: "mcx", metric: "mcx_clients", kind: "value" },
  participants: { server: "mcx", metric: "mcx_participants", kind: "value" },
  subscriptions: { server: "gms", metric: "gms_subscriptions", kind: "value" },
  eventLoop: { server: "gms", metric: "nodejs_eventloop_lag_p99_seconds", kind: "value" },
} as const satisfies Record<string, Series>;

export type SeriesName = keyof typeof SERIES;
export const SERIES_NAMES = Object.keys(SERIES) as readonly SeriesName[];

/** The metrics of one server at one time; `at` is in milliseconds. */
export interface Scrape {
  readonly at: number;
  readonly samples: readonly Sample[];
}

const QUANTILE = 0.95;

/** Null where nothing can be said: no observation, no earlier scrape, or no such metric. */
export function figureOf(name: SeriesName, before: Scrape | undefined, now: Scrape): number | null {
  const series: Series = SERIES[name];
  if (series.kind === "quantile") return before === undefined ? null : quantileOf(series, before, now);
  const samples = chosen(series, now);
  if (series.kind === "value") return samples.length === 0 ? null : total(samples);
  const seconds = (now.at - (before?.at ?? now.at)) / 1000;
  return before === undefined || seconds <= 0 ? null : rise(series, before, samples) / seconds;
}

function chosen({ metric, of }: Series, { samples }: Scrape): Sample[] {
  return samples.filter((sample) => sample.name === metric && (of?.(sample) ?? true));
}

const total = (samples: readonly Sample[]) => samples.reduce((sum, { value }) => sum + value, 0);

/** A counter below its former value began anew with its server. */
function rise(series: Series, before: Scrape, samples: readonly Sample[]): number {
  const known = new Map(chosen(series, before).map(({ labels, value }) => [labels, value]));
  return samples.reduce((sum, { labels, value }) => {
    const old = known.get(labels) ?? 0;
    return sum + (value < old ? value : value - old);
  }, 0);
}

/** Linear within a bucket, as Prometheus reckons it; of the last bucket, which has no upper bound, its lower one. */
function quantileOf({ metric }: Series, before: Scrape, now: Scrape): number | null {
  const earlier = countsOf(metric, before);
  const counts = countsOf(metric, now);
  const bounds = [...counts.keys()].sort((a, b) => a - b);
  const isReset = bounds.some((bound) => counts.get(bound)! < (earlier.get(bound) ?? 0));
  const risen = bounds.map((bound) => counts.get(bound)! - (isReset ? 0 : (earlier.get(bound) ?? 0)));
  const all = risen.at(-1) ?? 0;
  if (all <= 0) return null;
  const rank = QUANTILE * all;
  const at = risen.findIndex((count) => count >= rank);
  const [low, below] = at === 0 ? [0, 0] : [bounds[at - 1]!, risen[at - 1]!];
  const high = bounds[at]!;
  return high === Number.POSITIVE_INFINITY
    ? low
    : low + ((high - low) * (rank - below)) / (risen[at]! - below);
}

/** Observations up to each bound, of all labels together. */
function countsOf(metric: string, { samples }: Scrape): Map<number, number> {
  const counts = new Map<number, number>();
  for (const sample of samples) {
    if (sample.name !== `${metric}_bucket`) continue;
    const le = labelOf(sample, "le");
    const bound = le === "+Inf" ? Number.POSITIVE_INFINITY : Number(le);
    counts.set(bound, (counts.get(bound) ?? 0) + sample.value);
  }
  return counts;
}
