/** The figures of the last day: how counters and histograms become rates and latencies, and that the memory is bounded. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { History } from "../../../roles/console/history.ts";
import type { HistorySample } from "../../../roles/console/messages.ts";
import { VirtualClock } from "../../support/clock.ts";

const MINUTE = 60_000;

/** Metrics that the KMS tells, by the name and labels of the sample; null: it does not answer. */
let metrics: Record<string, number> | null;
let clock: VirtualClock;
let history: History;
let sampled: (sample: HistorySample) => void;

const answer: typeof fetch = async () => {
  if (metrics === null) throw new Error("refused");
  return new Response(
    Object.entries(metrics)
      .map(([name, value]) => `# HELP ${name} a metric\n${name} ${value}`)
      .join("\n"),
  );
};

beforeEach(async () => {
  metrics = {};
  clock = new VirtualClock();
  history = new History({
    apis: {
      kms: { url: "http://127.0.0.1:1", token: "kms" },
      mcx: { url: "http://127.0.0.1:2", token: "mcx" },
    },
    fetch: answer,
    timer: clock,
    now: () => clock.now(),
    tell: (sample) => sampled(sample),
  });
  const first = nextSample();
  history.start();
  await first;
});
afterEach(() => history.close());

function nextSample(): Promise<HistorySample> {
  return new Promise((resolve) => {
    sampled = resolve;
  });
}

/** One minute later the servers have these metrics. */
async function minute(next: typeof metrics): Promise<HistorySample> {
  metrics = next;
  const sample = nextSample();
  await clock.pass(MINUTE);
  return sample;
}

const bucket = (le: string, type = "init") => `kms_answer_seconds_bucket{le="${le}",type="${type}"}`;

describe("the history of the console", () => {
  it("has no rate before the counters were read twice", () => {
    expect(history.view().values.kmsAnswers).toEqual([null]);
  });

  it("has rates per second of all labels together, and of refusals alone", async () => {
    await minute({ 'kms_answers_total{type="init",code="ok"}': 100 });
    const { values } = await minute({
      'kms_answers_total{type="init",code="ok"}': 160,
      'kms_answers_total{type="keyprov",code="BAD_TOKEN"}': 30,
    });
    expect(values.kmsAnswers).toBe(1.5);
    expect(values.kmsRefusals).toBe(0.5);
    expect(values.gmsAnswers).toBeNull();
  });

  it("counts a counter that was reset from zero", async () => {
    await minute({ 'kms_answers_total{type="init",code="ok"}': 900 });
    const { values } = await minute({ 'kms_answers_total{type="init",code="ok"}': 6 });
    expect(values.kmsAnswers).toBe(0.1);
  });

  it("has the 95th percentile of that minute's observations only", async () => {
    await minute({ [bucket("0.1")]: 1000, [bucket("1")]: 1000, [bucket("+Inf")]: 1000 });
    const { values } = await minute({
      [bucket("0.1")]: 1000,
      [bucket("1")]: 1080,
      [bucket("+Inf")]: 1080,
      [bucket("0.1", "keyprov")]: 10,
      [bucket("1", "keyprov")]: 20,
      [bucket("+Inf", "keyprov")]: 20,
    });
    // 10 of 100 within 0.1 s, and 90 between 0.1 s and 1 s: the 95th lies 85/90 of the way.
    expect(values.kmsLatency).toBeCloseTo(0.1 + (0.9 * 85) / 90, 3);
    const idle = await minute(metrics);
    expect(idle.values.kmsLatency).toBeNull();
  });

  it("has the highest bound for a percentile beyond all bounds", async () => {
    await minute({ [bucket("0.1")]: 0, [bucket("5")]: 0, [bucket("+Inf")]: 0 });
    const { values } = await minute({ [bucket("0.1")]: 0, [bucket("5")]: 1, [bucket("+Inf")]: 20 });
    expect(values.kmsLatency).toBe(5);
  });

  it("leaves a gap while a server does not answer, and goes on after it", async () => {
    await minute({ mcx_clients: 7 });
    expect((await minute(null)).values.clients).toBeNull();
    expect((await minute({ mcx_clients: 8 })).values.clients).toBe(8);
    expect(history.view().values.clients.slice(-3)).toEqual([7, null, 8]);
  });

  it("keeps one day and no more", async () => {
    for (let n = 0; n < 24 * 60 + 5; n++) await minute({ mcx_clients: n });
    const { times, values } = history.view();
    expect([times.length, values.clients.length]).toEqual([24 * 60, 24 * 60]);
    expect(values.clients.at(-1)).toBe(24 * 60 + 4);
    expect(times.at(-1)! - times[0]!).toBe((24 * 60 - 1) * MINUTE);
  });

  it("takes no sample after it is closed", async () => {
    await minute({});
    await history.close();
    await clock.pass(10 * MINUTE);
    expect(clock.pending).toBe(0);
  });
});
