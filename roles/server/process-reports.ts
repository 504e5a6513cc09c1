/** Reports of this process to the others on its database, for operators: that it lives, whether it is ready, its clock. */
import type { TimerPort } from "../../base/clock.ts";
import { MikeySakkeError } from "../../base/errors.ts";

const REPORT_MS = 15_000;
/** A report counts until two that should have followed are missing. */
const LIFE_MS = 3 * REPORT_MS;

/** A process of a server as it reported itself last. Times are milliseconds since the Unix epoch. */
export interface ProcessRecord {
  readonly server: "gms" | "mcx";
  /** Unique among the processes of the server. */
  readonly name: string;
  /** First of its reports without a gap. */
  readonly since: number;
  readonly seenAt: number;
  /** How far the clock of its host was ahead of the database's, in milliseconds. */
  readonly clockAhead: number;
  /** Why the process is not ready: the code of an error. */
  readonly fault?: string;
}

export interface ProcessStore {
  report(
    report: Pick<ProcessRecord, "server" | "name" | "fault"> & { readonly hostNow: number },
    lifeMs: number,
  ): Promise<void>;
  end(server: ProcessRecord["server"], name: string): Promise<void>;
  list(server: ProcessRecord["server"]): Promise<readonly ProcessRecord[]>;
}

export interface ProcessReportsOptions {
  readonly server: ProcessRecord["server"];
  /** Name of the process among those of its server. */
  readonly name: string;
  /** Undefined: there is no database that processes share, and this one is the only one. */
  readonly store: ProcessStore | undefined;
  /** Throws unless the process can serve. */
  readonly ready: () => Promise<void>;
  readonly timer: TimerPort;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
}

export class ProcessReports {
  readonly #options: ProcessReportsOptions;
  #since = 0;
  #cancel = () => {};
  #reporting: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: ProcessReportsOptions) {
    this.#options = options;
  }

  start(): void {
    this.#since = this.#options.now();
    this.#next();
  }

  /** All processes of the server that live. Rejects as the store. */
  async list(): Promise<readonly ProcessRecord[]> {
    const { server, name, store, now } = this.#options;
    if (store !== undefined) return store.list(server);
    return [{ server, name, since: this.#since, seenAt: now(), clockAhead: 0, ...(await this.#fault()) }];
  }

  /** Does not reject: without the database the last report runs out. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancel();
    await this.#reporting;
    const { server, name, store } = this.#options;
    await store?.end(server, name).catch(() => undefined);
  }

  #next(): void {
    const { timer } = this.#options;
    this.#reporting = this.#report().finally(() => {
      if (!this.#isClosed) this.#cancel = timer.after(REPORT_MS, () => this.#next());
    });
  }

  async #report(): Promise<void> {
    const { server, name, store, now } = this.#options;
    if (store === undefined) return;
    const fault = await this.#fault();
    // Health checks tell of a database that does not answer.
    await store.report({ server, name, hostNow: now(), ...fault }, LIFE_MS).catch(() => undefined);
  }

  async #fault(): Promise<{ fault?: string }> {
    try {
      await this.#options.ready();
      return {};
    } catch (error) {
      return { fault: error instanceof MikeySakkeError ? error.code : "INTERNAL" };
    }
  }
}
