/**
 * One place in a pool: a worker and its memory. When the worker fails it is gone with all it held, and the next chunk
 * starts another in its place.
 */
import type { Core, Region } from "../core/core.ts";
import { startThread, type Thread, type WorkerSource } from "./host.ts";
import {
  errorFrom,
  type Posted,
  type Reply,
  type Request,
  type TableAt,
  type WorkerMemory,
} from "./protocol.ts";

/** How long a worker may take to clear its secrets before it is ended without having done so. */
const GRACE_MS = 5000;

/** The set-up that the workers of a pool have in common. */
export interface WorkerSetup {
  readonly core: Core;
  readonly source: WorkerSource;
  /** Tables that each worker reads on shared memory, for as long as it lives. */
  readonly tables: readonly TableAt[];
  /** Octets that each worker gets of shared memory. */
  readonly regionBytes: number;
  readonly timeoutMs: number;
}

/** A job as a worker gets to know it. */
export interface OpenJob {
  readonly id: number;
  readonly tables: readonly TableAt[];
  /** Whether it ended meanwhile: then no worker shall get its secrets. */
  readonly over: boolean;
  /** Returns what a worker needs for any chunk: copies of secrets, moved to that worker and to no other. */
  open(): Posted;
}

export type Outcome =
  | { readonly kind: "done"; readonly result: unknown }
  /** The chunk is at fault; another try would end the same way. */
  | { readonly kind: "refused"; readonly error: unknown }
  /** The worker failed at it and is gone. */
  | { readonly kind: "failed"; readonly cause: unknown }
  /** The worker failed before it came to it. */
  | { readonly kind: "dropped" };

export class Slot {
  readonly #setup: WorkerSetup;
  #thread: Thread | undefined;
  #started: Promise<Outcome> | undefined;
  #region: Region | undefined;
  #memory: WorkerMemory = { bytes: 0, tableBytes: 0 };
  /** Jobs whose secrets the worker has. */
  readonly #jobs = new Set<number>();
  readonly #closing = new Map<number, () => void>();
  /** Requests awaiting an answer; the worker is processing the first. */
  readonly #asked: ((outcome: Outcome) => void)[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #ended: ((quiet: boolean) => void) | undefined;
  /** Settled when the last worker has stopped and its memory is clear. */
  #stopped: Promise<void> = Promise.resolve();
  #load = 0;
  #over = false;

  constructor(setup: WorkerSetup) {
    this.#setup = setup;
  }

  /** As the worker last told it. */
  get memory(): WorkerMemory {
    return this.#memory;
  }

  /** Chunks that were handed over and are not answered. */
  get load(): number {
    return this.#load;
  }

  holds(job: OpenJob): boolean {
    return this.#jobs.has(job.id);
  }

  /** Starts a worker if there is none. */
  start(): Promise<Outcome> {
    this.#started ??= this.#start();
    return this.#started;
  }

  async #start(): Promise<Outcome> {
    await this.#stopped;
    if (this.#over) return { kind: "failed", cause: new Error("the pool was destroyed") };
    const { core, source, tables, regionBytes } = this.#setup;
    try {
      if (core.shared) this.#region = { at: core.arena.alloc(regionBytes), bytes: regionBytes };
      const thread = startThread(source, {
        message: (reply) => this.#receive(thread, reply as Reply),
        failure: (cause) => this.#drop(thread, cause),
      });
      this.#thread = thread;
    } catch (cause) {
      this.#started = undefined;
      this.#clear();
      return { kind: "failed", cause };
    }
    const { module } = core;
    const memory = core.shared ? core.memory : undefined;
    const thread = this.#thread;
    const outcome = await this.#ask({ type: "start", module, memory, region: this.#region, tables });
    if (outcome.kind !== "refused") return outcome;
    this.#drop(thread, outcome.error);
    return { kind: "failed", cause: outcome.error };
  }

  /** Hands a chunk to the worker, which does them in their order. */
  async run(job: OpenJob, chunk: () => Posted): Promise<Outcome> {
    this.#load++;
    try {
      return await this.#run(job, chunk);
    } finally {
      this.#load--;
    }
  }

  async #run(job: OpenJob, makeChunk: () => Posted): Promise<Outcome> {
    const started = await this.start();
    if (started.kind !== "done") return started;
    // It may have failed again at once.
    if (job.over || this.#thread === undefined) return { kind: "dropped" };
    const chunk = makeChunk();
    const opening = this.holds(job) ? undefined : job.open();
    this.#jobs.add(job.id);
    const open = opening && { job: opening.message, tables: job.tables };
    const transfer = [...(chunk.transfer ?? []), ...(opening?.transfer ?? [])];
    return this.#ask({ type: "run", job: job.id, chunk: chunk.message, open }, transfer);
  }

  /** Settled when the worker holds nothing of the job any more. */
  close(job: OpenJob): Promise<void> {
    const thread = this.#thread;
    if (thread === undefined || !this.#jobs.delete(job.id)) return Promise.resolve();
    return new Promise((resolve) => {
      this.#closing.set(job.id, resolve);
      this.#post(thread, { type: "close", job: job.id });
    });
  }

  /** Lets the worker clear its secrets and ends it. A chunk at work fails. */
  async end(): Promise<void> {
    this.#over = true;
    const thread = this.#thread;
    if (thread !== undefined) {
      const quiet = await new Promise<boolean>((resolve) => {
        const timer = setTimeout(resolve, GRACE_MS, false);
        this.#ended = (quiet) => {
          clearTimeout(timer);
          resolve(quiet);
        };
        this.#post(thread, { type: "end" });
      });
      this.#drop(thread, new Error("the pool was destroyed"), quiet);
    }
    await this.#stopped;
  }

  #ask(request: Request, transfer: readonly ArrayBuffer[] = []): Promise<Outcome> {
    const thread = this.#thread!;
    return new Promise((resolve) => {
      this.#asked.push(resolve);
      if (this.#asked.length === 1) this.#watch(thread);
      this.#post(thread, request, transfer);
    });
  }

  #answer(thread: Thread, outcome: Outcome): void {
    clearTimeout(this.#timer);
    this.#asked.shift()?.(outcome);
    if (this.#asked.length > 0) this.#watch(thread);
    this.#hold(thread);
  }

  #watch(thread: Thread): void {
    const { timeoutMs } = this.#setup;
    const late = () => this.#drop(thread, new Error(`no answer from the worker in ${timeoutMs} ms`));
    this.#timer = setTimeout(late, timeoutMs);
  }

  #post(thread: Thread, request: Request, transfer: readonly ArrayBuffer[] = []): void {
    try {
      thread.post(request, transfer);
      this.#hold(thread);
    } catch (cause) {
      this.#drop(thread, cause);
    }
  }

  /** An idle worker keeps no process alive. */
  #hold(thread: Thread): void {
    thread.hold(this.#asked.length > 0 || this.#closing.size > 0 || this.#over);
  }

  #receive(thread: Thread, reply: Reply): void {
    if (thread !== this.#thread) return;
    switch (reply.type) {
      case "done":
        this.#memory = reply.memory;
        this.#answer(thread, { kind: "done", result: reply.result });
        break;
      case "refused":
        this.#answer(thread, { kind: "refused", error: errorFrom(reply.error) });
        break;
      case "failed":
        this.#drop(thread, new Error(reply.reason));
        break;
      case "closed":
        this.#closing.get(reply.job)?.();
        this.#closing.delete(reply.job);
        this.#hold(thread);
        break;
      case "ended":
        this.#ended?.(true);
    }
  }

  /** Gives up a worker: it is ended, and everybody who waits for it hears of that. A quiet one writes no more. */
  #drop(thread: Thread, cause: unknown, quiet = false): void {
    if (thread !== this.#thread) return;
    this.#thread = undefined;
    this.#started = undefined;
    this.#jobs.clear();
    this.#stopped = thread.terminate().then((stopped) => {
      if (stopped || quiet) this.#clear();
      // Else it may still write there: the region is lost until the core is destroyed.
      else this.#region = undefined;
    });
    for (const resolve of this.#closing.values()) resolve();
    this.#closing.clear();
    this.#ended?.(false);
    clearTimeout(this.#timer);
    const [first, ...others] = this.#asked.splice(0);
    first?.({ kind: "failed", cause });
    for (const resolve of others) resolve({ kind: "dropped" });
  }

  #clear(): void {
    if (this.#region !== undefined) this.#setup.core.arena.release(this.#region.at);
    this.#region = undefined;
  }
}
