/** Worker threads of Node and Web Workers behind one interface. Nothing here knows what they are for. */
import { MikeySakkeError } from "../../base/errors.ts";
import { builtinModule } from "../../base/platform.ts";

/** A worker, seen from the thread that started it. */
export interface Thread {
  /** Sends a message. Buffers in `transfer` are moved, not copied. */
  post(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  /** Whether the worker keeps the process alive. Pages have no such question. */
  hold(busy: boolean): void;
  /** Ends the worker. True when it certainly runs no more; a page only hears that it will end soon. */
  terminate(): Promise<boolean>;
}

export interface ThreadEvents {
  message(value: unknown): void;
  /** The worker could not be started, threw an error that nobody caught, or is gone. */
  failure(cause: unknown): void;
}

/** The other side: what a worker has of the thread that started it. */
export interface Port {
  post(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  listen(handler: (message: unknown) => void): void;
  /** Lets the worker end. */
  close(): void;
}

/** The place of a worker's code. */
export interface WorkerSource {
  /** For Node, and wherever the user says where it is. */
  readonly url: () => URL;
  /** For pages: bundlers find the worker by this form of the constructor, so it stands where the URL is known. */
  readonly web: (() => Worker) | undefined;
}

/** The little of node:worker_threads that is used, so that nothing has to be imported from it. */
interface NodeThreads {
  readonly Worker: new (url: URL) => NodeWorker;
  readonly parentPort: NodePort | null;
}

interface NodePort {
  postMessage(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  on(event: string, listener: (value: unknown) => void): void;
  close(): void;
}

interface NodeWorker extends Omit<NodePort, "close"> {
  terminate(): Promise<unknown>;
  ref(): void;
  unref(): void;
}

/** Processors that the host lets this process use; 4 where it does not say. */
export function processors(): number {
  const os = builtinModule<{ availableParallelism(): number }>("node:os");
  return os?.availableParallelism() ?? globalThis.navigator?.hardwareConcurrency ?? 4;
}

/** Starts a worker. Throws what the host throws, and a usage error where it has no workers. */
export function startThread(source: WorkerSource, events: ThreadEvents): Thread {
  const node = builtinModule<NodeThreads>("node:worker_threads");
  if (node !== undefined) return startNode(new node.Worker(source.url()), events);
  if (typeof Worker === "undefined") {
    throw new MikeySakkeError("usage", "NO_WORKERS", "this host has neither worker threads nor Web Workers");
  }
  return startWeb(source.web?.() ?? new Worker(source.url(), { type: "module" }), events);
}

function startNode(worker: NodeWorker, events: ThreadEvents): Thread {
  worker.on("message", events.message);
  worker.on("messageerror", events.failure);
  worker.on("error", events.failure);
  worker.on("exit", (code) => events.failure(new Error(`the worker ended with exit code ${code}`)));
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    hold: (busy) => (busy ? worker.ref() : worker.unref()),
    terminate: async () => {
      await worker.terminate();
      return true;
    },
  };
}

function startWeb(worker: Worker, events: ThreadEvents): Thread {
  worker.onmessage = ({ data }) => events.message(data);
  worker.onmessageerror = () => events.failure(new Error("a message could not be read"));
  worker.onerror = (event) => {
    event.preventDefault();
    events.failure(new Error(event.message || "the worker could not be loaded"));
  };
  return {
    post: (message, transfer = []) => worker.postMessage(message, [...transfer]),
    hold: () => {},
    terminate: async () => {
      worker.terminate();
      return false;
    },
  };
}

/** The port of the worker that calls it. Throws a usage error in a thread that is none. */
export function parentPort(): Port {
  const node = builtinModule<NodeThreads>("node:worker_threads");
  if (node !== undefined) return nodePort(node.parentPort);
  // The types of the package are those of a page.
  const scope = globalThis as unknown as Worker & { close(): void };
  return {
    post: (message, transfer = []) => scope.postMessage(message, [...transfer]),
    listen: (handler) => {
      scope.onmessage = ({ data }) => handler(data);
    },
    close: () => scope.close(),
  };
}

function nodePort(port: NodePort | null): Port {
  if (port === null) {
    throw new MikeySakkeError("usage", "NOT_A_WORKER", "this file is to be started as a worker by a pool");
  }
  return {
    post: (message, transfer) => port.postMessage(message, transfer),
    listen: (handler) => port.on("message", handler),
    close: () => port.close(),
  };
}
