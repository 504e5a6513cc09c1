/** The messages between a pool and its workers. Messages are handled in their order, one at a time. */

import { type ErrorCode, type ErrorKind, MikeySakkeError } from "../../base/errors.ts";
import type { Region } from "../core/core.ts";

/** A message and the buffers that are moved with it. */
export interface Posted<T = unknown> {
  readonly message: T;
  readonly transfer?: readonly ArrayBuffer[];
}

/** Name and address of a table on shared memory. */
export type TableAt = readonly [name: string, at: number];

export type Request =
  | {
      readonly type: "start";
      readonly module: WebAssembly.Module;
      /** With a region of it for this worker; without, the worker makes a memory of its own. */
      readonly memory: WebAssembly.Memory | undefined;
      readonly region: Region | undefined;
      readonly tables: readonly TableAt[];
    }
  | {
      readonly type: "run";
      readonly job: number;
      readonly chunk: unknown;
      /** With the first chunk of a job that a worker gets. */
      readonly open: { readonly job: unknown; readonly tables: readonly TableAt[] } | undefined;
    }
  | { readonly type: "close"; readonly job: number }
  | { readonly type: "end" };

export type Reply =
  | { readonly type: "done"; readonly result: unknown; readonly memory: WorkerMemory }
  /** The chunk itself is at fault. */
  | { readonly type: "refused"; readonly error: ErrorData }
  /** Something broke; the worker must not be used any more. */
  | { readonly type: "failed"; readonly reason: string }
  | { readonly type: "closed"; readonly job: number }
  | { readonly type: "ended" };

/** WebAssembly memory that is one worker's own, in octets. */
export interface WorkerMemory {
  /** All of it: scratch for the largest chunk, and its copies of tables where memory is not shared. */
  readonly bytes: number;
  /** Octets of the worker's own copies of the tables: 0 where memory is shared. */
  readonly tableBytes: number;
}

export interface ErrorData {
  readonly kind: ErrorKind;
  readonly code: ErrorCode;
  readonly message: string;
  readonly check: number | undefined;
  readonly offset: number | undefined;
}

/** An error as plain data; undefined for one that says nothing about the input, so that another try may succeed. */
export function errorData(error: unknown): ErrorData | undefined {
  if (!(error instanceof MikeySakkeError) || error.code === "OUT_OF_MEMORY") return undefined;
  const { kind, code, message, check, offset } = error;
  return { kind, code, message, check, offset };
}

export function errorFrom({ kind, code, message, check, offset }: ErrorData): MikeySakkeError {
  return new MikeySakkeError(kind, code, message, {
    ...(check === undefined ? {} : { check }),
    ...(offset === undefined ? {} : { offset }),
  });
}

/**
 * A copy of plain data in which every octet string has a buffer of its own: a message takes whole buffers along, and
 * that of a small `Buffer` of Node's is a page full of other ones.
 */
export function compact<T>(value: T): T {
  return copy(value) as T;
}

function copy(value: unknown): unknown {
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (Array.isArray(value)) return value.map(copy);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, copy(field)]));
}
