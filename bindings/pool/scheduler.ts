/**
 * Gives the chunks of jobs to workers. Results come in the order of the chunks; no more chunks are in flight than the
 * consumer keeps pace with; a chunk whose worker failed is done again by another.
 */

import { MikeySakkeError } from "../../base/errors.ts";
import type { Core } from "../core/core.ts";
import type { Posted, WorkerMemory } from "./protocol.ts";
import { type OpenJob, type Outcome, Slot, type WorkerSetup } from "./slot.ts";

/** Chunks handed to a worker: one at work, one to follow, so that it never waits for this thread. */
const MAX_LOAD = 2;
/** Chunks of a job in flight, for each worker: besides these one that is done and waits for the consumer. */
const CHUNKS_PER_WORKER = MAX_LOAD + 1;

export interface JobSpec {
  /** Names of tables that the workers read; they are kept as long as the job lasts. */
  readonly tables: readonly string[];
  open(): Posted;
  readonly chunks: number;
  chunk(index: number): Posted;
}

export interface RunOptions {
  /** Its reason is thrown at once; chunks that wait are dropped, those at work are finished for nothing. */
  readonly signal?: AbortSignal | undefined;
  /** Called when a chunk is done, in whatever order. */
  readonly onChunk?: (index: number) => void;
}

/** The memory of a pool by its uses, in octets. */
export interface PoolMemory {
  /** Whether the workers read the tables of the pool's core; else each has a copy. */
  readonly shared: boolean;
  /** Tables of the pool's core. */
  readonly tableBytes: number;
  readonly workers: readonly WorkerMemory[];
}

export interface SchedulerOptions {
  readonly workers: number;
  /** Tries of a chunk after the first. */
  readonly redo: number;
  /** Whether the core ends with the pool. */
  readonly ownsCore: boolean;
  readonly onMemory: ((memory: PoolMemory) => void) | undefined;
}

interface Job extends OpenJob {
  readonly tasks: Set<Task>;
  over: boolean;
  /** Why it is over. */
  reason: unknown;
}

interface Task {
  readonly job: Job;
  readonly index: number;
  readonly chunk: () => Posted;
  failures: number;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

export class Scheduler {
  readonly core: Core;
  readonly #options: SchedulerOptions;
  readonly #slots: readonly Slot[];
  readonly #queue: Task[] = [];
  readonly #jobs = new Set<Job>();
  #lastId = 0;
  #end: Promise<void> | undefined;

  constructor(setup: WorkerSetup, options: SchedulerOptions) {
    this.core = setup.core;
    this.#options = options;
    this.#slots = Array.from({ length: options.workers }, () => new Slot(setup));
  }

  get workers(): number {
    return this.#slots.length;
  }

  /** Returns whether a job is under way. */
  get busy(): boolean {
    return this.#jobs.size > 0;
  }

  get memory(): PoolMemory {
    const { shared, tables } = this.core;
    return { shared, tableBytes: tables.bytes, workers: this.#slots.map((slot) => slot.memory) };
  }

  /** Starts all workers. Throws a crypto error `NO_WORKER` when one does not start. */
  async start(): Promise<void> {
    const outcomes = await Promise.all(this.#slots.map((slot) => slot.start()));
    for (const outcome of outcomes) {
      if (outcome.kind === "done") continue;
      const cause = outcome.kind === "failed" ? outcome.cause : undefined;
      throw new MikeySakkeError("crypto", "NO_WORKER", `a worker did not start: ${textOf(cause)}`, { cause });
    }
    this.#options.onMemory?.(this.memory);
  }

  /** Runs a job: the results of its chunks, in their order. */
  async *run<Result>(spec: JobSpec, options: RunOptions = {}): AsyncGenerator<Result, void, undefined> {
    const { signal, onChunk } = options;
    this.requireAlive();
    signal?.throwIfAborted();
    const job = this.#open(spec);
    const abort = () => this.#stop(job, signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    const inFlight: Promise<unknown>[] = [];
    let next = 0;
    const submit = () => {
      const index = next++;
      const result = this.#submit(job, index, () => spec.chunk(index)).then((value) => {
        onChunk?.(index);
        return value;
      });
      // Awaited in its turn, which may be after it failed, or never.
      result.catch(() => {});
      inFlight.push(result);
    };
    try {
      while (next < spec.chunks || inFlight.length > 0) {
        signal?.throwIfAborted();
        while (next < spec.chunks && inFlight.length < CHUNKS_PER_WORKER * this.workers) submit();
        yield (await inFlight.shift()) as Result;
      }
      this.#options.onMemory?.(this.memory);
    } finally {
      signal?.removeEventListener("abort", abort);
      this.#stop(job, new MikeySakkeError("usage", "JOB_OVER", "the job is over"));
    }
  }

  /** Ends all workers, after they have cleared their secrets; running jobs fail. */
  destroy(): Promise<void> {
    this.#end ??= this.#destroy();
    return this.#end;
  }

  /** Throws a usage error after `destroy`. */
  requireAlive(): void {
    if (this.#end !== undefined) throw destroyed();
  }

  async #destroy(): Promise<void> {
    for (const job of this.#jobs) this.#stop(job, destroyed());
    await Promise.all(this.#slots.map((slot) => slot.end()));
    if (this.#options.ownsCore) this.core.destroy();
  }

  #open(spec: JobSpec): Job {
    const { shared, tables } = this.core;
    const job: Job = {
      id: ++this.#lastId,
      tables: shared ? spec.tables.map((name) => [name, tables.retain(name)] as const) : [],
      open: () => spec.open(),
      tasks: new Set(),
      over: false,
      reason: undefined,
    };
    this.#jobs.add(job);
    return job;
  }

  #submit(job: Job, index: number, chunk: () => Posted): Promise<unknown> {
    if (job.over) return Promise.reject(job.reason);
    return new Promise((resolve, reject) => {
      const task: Task = { job, index, chunk, failures: 0, resolve, reject };
      job.tasks.add(task);
      this.#queue.push(task);
      this.#dispatch();
    });
  }

  #dispatch(): void {
    for (let task = this.#queue[0]; task !== undefined; task = this.#queue[0]) {
      const { job } = task;
      // The one with least to do, and rather one that has the job's secrets than another.
      const cost = (slot: Slot) => 2 * slot.load + (slot.holds(job) ? 0 : 1);
      const slot = this.#slots.reduce((best, other) => (cost(other) < cost(best) ? other : best));
      if (slot.load >= MAX_LOAD) return;
      this.#queue.shift();
      void this.#work(slot, task);
    }
  }

  async #work(slot: Slot, task: Task): Promise<void> {
    const { job } = task;
    const refused = (error: unknown): Outcome => ({ kind: "refused", error });
    const outcome = await slot.run(job, task.chunk).catch(refused);
    if (!job.over) this.#settle(task, outcome);
    this.#dispatch();
  }

  #settle(task: Task, outcome: Outcome): void {
    const { job } = task;
    if (outcome.kind === "done") {
      job.tasks.delete(task);
      task.resolve(outcome.result);
    } else if (outcome.kind === "refused") {
      this.#stop(job, outcome.error);
    } else if (outcome.kind === "dropped" || ++task.failures <= this.#options.redo) {
      // In front: results are awaited in order.
      this.#queue.unshift(task);
    } else {
      const { cause } = outcome;
      const text = `chunk ${task.index} failed with ${task.failures} workers: ${textOf(cause)}`;
      this.#stop(job, new MikeySakkeError("crypto", "WORKER_FAILED", text, { cause }));
    }
  }

  /** Ends a job: what is not done yet is rejected, and the workers forget it. */
  #stop(job: Job, reason: unknown): void {
    if (job.over) return;
    job.over = true;
    job.reason = reason;
    this.#jobs.delete(job);
    const waiting = this.#queue.filter((task) => task.job !== job);
    this.#queue.splice(0, this.#queue.length, ...waiting);
    for (const task of job.tasks) task.reject(reason);
    job.tasks.clear();
    // Tables stay until no worker reads them.
    void Promise.all(this.#slots.map((slot) => slot.close(job))).then(() => {
      for (const [name] of job.tables) this.core.tables.release(name);
    });
  }
}

function destroyed(): MikeySakkeError {
  return new MikeySakkeError("usage", "DESTROYED", "the pool was destroyed");
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
