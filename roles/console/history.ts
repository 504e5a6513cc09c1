/** Figures of the servers over the last day: one sample a minute, in the memory of the process. */
import type { TimerPort } from "../../base/clock.ts";
import { withTimeout } from "../../base/deadline.ts";
import type { ConsoleBackend } from "./backend.ts";
import { readExposition } from "./exposition.ts";
import type { HistorySample, HistoryView, ServerName } from "./messages.ts";
import { figureOf, type Scrape, SERIES, SERIES_NAMES } from "./series.ts";

const SAMPLE_MS = 60_000;
/** One day. */
const MOST_SAMPLES = 24 * 60;
const ANSWER_MS = 5000;
/** Digits that a plot can show. */
const DIGITS = 4;

export interface HistoryOptions {
  readonly apis: ConsoleBackend["apis"];
  readonly fetch: typeof fetch;
  readonly timer: TimerPort;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** Called with each new sample. */
  readonly tell: (sample: HistorySample) => void;
}

export class History {
  readonly #options: HistoryOptions;
  readonly #samples: HistorySample[] = [];
  #before: Partial<Record<ServerName, Scrape>> = {};
  #cancel = () => {};
  #taking: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: HistoryOptions) {
    this.#options = options;
  }

  /** The first sample of rates and latencies comes a minute later: they need two looks at the counters. */
  start(): void {
    this.#taking = this.#take().finally(() => {
      if (!this.#isClosed) this.#cancel = this.#options.timer.after(SAMPLE_MS, () => this.start());
    });
  }

  view(): HistoryView {
    const values = SERIES_NAMES.map((name) => [name, this.#samples.map((sample) => sample.values[name])]);
    return { times: this.#samples.map(({ at }) => at), values: Object.fromEntries(values) };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel();
    await this.#taking;
  }

  async #take(): Promise<void> {
    const { apis, now, tell } = this.#options;
    const servers = Object.keys(apis) as ServerName[];
    const scrapes = Object.fromEntries(
      await Promise.all(servers.map(async (server) => [server, await this.#scrape(server)])),
    ) as Partial<Record<ServerName, Scrape>>;
    const values = SERIES_NAMES.map((name) => {
      const { server } = SERIES[name];
      const scrape = scrapes[server];
      const figure = scrape === undefined ? null : figureOf(name, this.#before[server], scrape);
      return [name, figure === null ? null : Number(figure.toPrecision(DIGITS))];
    });
    this.#before = scrapes;
    const sample: HistorySample = { at: now(), values: Object.fromEntries(values) };
    this.#samples.push(sample);
    if (this.#samples.length > MOST_SAMPLES) this.#samples.shift();
    if (!this.#isClosed) tell(sample);
  }

  /** Undefined where the server does not answer: the plot has a gap there. */
  async #scrape(server: ServerName): Promise<Scrape | undefined> {
    const { apis, fetch, now } = this.#options;
    try {
      return await withTimeout(ANSWER_MS, async (signal) => {
        const response = await fetch(new URL("/metrics", apis[server]!.url), { signal });
        if (!response.ok) return undefined;
        return { at: now(), samples: readExposition(await response.text()) };
      });
    } catch {
      return undefined;
    }
  }
}
