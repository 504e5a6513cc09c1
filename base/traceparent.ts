/** The `traceparent` header field (W3C Trace Context 3.2), which names the operation that something belongs to. */
import { toHex } from "./bytes.ts";
import type { RandomSource } from "./random.ts";

export interface TraceParent {
  /** 32 hexadecimal digits, the same for all that one operation causes. */
  readonly traceId: string;
  /** 16 hexadecimal digits: the step of the operation that caused this one. */
  readonly parentId: string;
  /** Whether the caller records the trace. */
  readonly sampled: boolean;
}

const TRACE_OCTETS = 16;
const PARENT_OCTETS = 8;
const SAMPLED = 1;
// 3.2.2.1: versions to come may add to the end, and ff is none. 3.2.2.3, 3.2.2.4: IDs of zeros alone are none.
const PATTERN = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Undefined for what is no traceparent: a trace begins anew then (3.2.2.5). */
export function readTraceparent(text: string | undefined): TraceParent | undefined {
  const [, version, traceId, parentId, flags, rest] = PATTERN.exec(text ?? "") ?? [];
  if (traceId === undefined || parentId === undefined || flags === undefined) return undefined;
  if (version === "00" && rest !== undefined) return undefined;
  return { traceId, parentId, sampled: (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED };
}

export function writeTraceparent({ traceId, parentId, sampled }: TraceParent): string {
  return `00-${traceId}-${parentId}-${sampled ? "01" : "00"}`;
}

/** A step of the trace of `parent`, or of a new trace. */
export function drawTraceparent(random: RandomSource, parent?: TraceParent): TraceParent {
  return {
    traceId: parent?.traceId ?? drawId(random, TRACE_OCTETS),
    parentId: drawId(random, PARENT_OCTETS),
    sampled: parent?.sampled ?? false,
  };
}

function drawId(random: RandomSource, octets: number): string {
  const id = random(octets);
  // All zeros are no ID.
  if (id.every((octet) => octet === 0)) id[octets - 1] = 1;
  return toHex(id);
}

/** The trace ID, by which log lines name an operation; undefined where the text is no traceparent. */
export function traceIdOf(traceparent: string | undefined): string | undefined {
  return readTraceparent(traceparent)?.traceId;
}
