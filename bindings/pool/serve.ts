/** The worker's side of a pool: one core, and a session for each job that it has a part in. */

import { MikeySakkeError } from "../../base/errors.ts";
import { attach, type Core } from "../core/core.ts";
import { generatorTable } from "../eccsi/tables.ts";
import { generatorTables } from "../sakke/tables.ts";
import { parentPort } from "./host.ts";
import {
  errorData,
  type Posted,
  type Reply,
  type Request,
  type TableAt,
  type WorkerMemory,
} from "./protocol.ts";

/** Tables of KMS keys that a worker without shared memory keeps for later jobs: two for each KMS. */
const KEPT_TABLES = 8;

/** The state that a worker holds for one job. */
export interface Session<Chunk, Result> {
  run(chunk: Chunk): Posted<Result> | Promise<Posted<Result>>;
  /** Clears the secrets of the job. */
  destroy(): void;
}

type Open<Job, Chunk, Result> = (core: Core, job: Job) => Session<Chunk, Result>;

interface Running<Chunk, Result> {
  readonly session: Session<Chunk, Result>;
  readonly tables: readonly TableAt[];
}

/** Makes this thread a worker. `open` takes over the secrets of a job and clears them when it throws. */
export function serve<Job, Chunk, Result>(open: Open<Job, Chunk, Result>): void {
  const port = parentPort();
  const sessions = new Map<number, Running<Chunk, Result>>();
  let core: Core | undefined;

  const started = (): Core => {
    if (core === undefined) throw new MikeySakkeError("usage", "NOT_STARTED", "the worker has no core yet");
    return core;
  };

  const close = (job: number): void => {
    const running = sessions.get(job);
    if (running === undefined) return;
    sessions.delete(job);
    running.session.destroy();
    forget(started(), running.tables);
  };

  const sessionOf = ({ job, open: opening }: Request & { type: "run" }): Session<Chunk, Result> => {
    if (opening !== undefined) sessions.set(job, begin(started(), opening.job as Job, opening.tables, open));
    const running = sessions.get(job);
    if (running === undefined) throw new MikeySakkeError("usage", "NO_JOB", `job ${job} is not open`);
    return running.session;
  };

  const handle = async (request: Request): Promise<Posted<Reply>> => {
    switch (request.type) {
      case "start":
        core = await start(request);
        return done(core, { message: undefined });
      case "run":
        return done(started(), await sessionOf(request).run(request.chunk as Chunk));
      case "close":
        close(request.job);
        return { message: { type: "closed", job: request.job } };
      case "end":
        for (const job of sessions.keys()) close(job);
        core?.destroy();
        return { message: { type: "ended" } };
    }
  };

  let turn = Promise.resolve();
  port.listen((message) => {
    const request = message as Request;
    turn = turn.then(async () => {
      const { message: reply, transfer } = await handle(request).catch(refuse);
      port.post(reply, transfer);
      if (reply.type === "ended") port.close();
    });
  });
}

async function start(request: Request & { type: "start" }): Promise<Core> {
  const { module, memory, region, tables } = request;
  const core = await attach(module, memory === undefined ? { keepTables: KEPT_TABLES } : { memory, region });
  for (const [name, at] of tables) core.tables.adopt(name, at);
  // Now rather than with the first chunk, where they are not shared.
  generatorTables(core);
  generatorTable(core);
  return core;
}

/** A table is known only as long as the job lasts: then the pool may free it. */
function begin<Job, Chunk, Result>(
  core: Core,
  job: Job,
  tables: readonly TableAt[],
  open: Open<Job, Chunk, Result>,
): Running<Chunk, Result> {
  for (const [name, at] of tables) core.tables.adopt(name, at);
  try {
    return { session: open(core, job), tables };
  } catch (error) {
    forget(core, tables);
    throw error;
  }
}

function forget(core: Core, tables: readonly TableAt[]): void {
  for (const [name] of tables) core.tables.release(name);
}

function done(core: Core, { message, transfer }: Posted): Posted<Reply> {
  const reply: Reply = { type: "done", result: message, memory: memoryOf(core) };
  return transfer === undefined ? { message: reply } : { message: reply, transfer };
}

function memoryOf(core: Core): WorkerMemory {
  return { bytes: core.ownBytes, tableBytes: core.tables.bytes };
}

function refuse(error: unknown): Posted<Reply> {
  const data = errorData(error);
  if (data !== undefined) return { message: { type: "refused", error: data } };
  return {
    message: {
      type: "failed",
      reason: error instanceof Error ? `${error.name}: ${error.message}` : "unknown",
    },
  };
}
