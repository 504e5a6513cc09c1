/** The result of a run: what is kept as JSON and printed as a table. Field and row names are stable. */
import { defined } from "../base/defined.ts";
import { ROW_NAMES, ROW_TITLES, type RowName } from "../cli/bench/row.ts";
import { rounded, type Timing, timing } from "../cli/bench/sampling.ts";
import { table } from "../cli/terminal/output.ts";
import type { Start } from "./core-rows.ts";
import type { Contender, Samples } from "./rounds.ts";
import { TARGETS, type Target } from "./targets.ts";

/** Microseconds an operation, from the best samples if not said otherwise. */
export interface ReportRow extends Partial<Record<Contender | "native", Timing>> {
  readonly name: RowName;
  readonly title: string;
  /** Times as fast as BigInt: its best over that of the FMA build, or of the SIMD build where there is no other. */
  readonly ratio?: number;
  /** The same against @noble/curves, and against GMP in WebAssembly. */
  readonly nobleRatio?: number;
  readonly gmpRatio?: number;
  readonly target?: Target;
}

export interface BatchPoint {
  readonly size: number;
  /** Operations a second from the best sample. */
  readonly encapsulate: number;
  readonly seal: number;
}

export interface WorkersPoint {
  readonly workers: number;
  readonly receivers: number;
  /** Messages a second from the best sample. */
  readonly seal: number;
  /** Times the throughput of one worker, from the best samples. */
  readonly speedup: number;
  /** The same from neighbouring samples, their median. */
  readonly medianSpeedup: number;
  /** Processor time against time: cores that this thread and the workers kept busy. */
  readonly busyCores: number;
  /** Median speedup of as many threads over one on a loop in registers: what this machine can give at most. */
  readonly machineSpeedup: number;
  /** Whether all workers read the tables of one core; `tableBytes` is what these take. */
  readonly tablesShared: boolean;
  readonly tableBytes: number;
  /** Octets that one worker has for itself, at most. */
  readonly workerBytes: number;
}

export interface Report {
  readonly schema: 1;
  readonly date: string;
  readonly version: string;
  readonly quick: boolean;
  readonly machine: { readonly cpu: string; readonly cores: number; readonly load?: number };
  readonly runtime: { readonly name: string; readonly version: string; readonly v8?: string };
  /** The build that `load` picks here. */
  readonly build: string;
  readonly rows: readonly ReportRow[];
  readonly start: Partial<Record<"fma" | "simd", Start>>;
  /** Octets that one prepared receiver's key holds. */
  readonly preparedBytes: Partial<Record<"fma" | "simd", number>>;
  readonly batches: readonly BatchPoint[];
  readonly workers: readonly WorkersPoint[];
  /** Notes on what is missing and why. */
  readonly notes: readonly string[];
}

/** Rows of all samples, in the order of their names; rows nobody had a turn at are left out. */
export function reportRows(samples: Samples, native: Partial<Record<RowName, Timing>>): ReportRow[] {
  const rows: ReportRow[] = [];
  for (const name of ROW_NAMES) {
    const timings: Partial<Record<Contender | "native", Timing>> = {};
    for (const [contender, all] of Object.entries(samples.get(name) ?? {}) as [Contender, number[]][]) {
      timings[contender] = roundedTiming(timing(all));
    }
    if (native[name] !== undefined) timings.native = roundedTiming(native[name]);
    const ours = timings.fma ?? timings.simd;
    if (ours === undefined) continue;
    const target = TARGETS[name];
    const ratioTo = (other: Timing | undefined) => other && rounded(other.best / ours.best);
    const [ratio, nobleRatio, gmpRatio] = [timings.bigint, timings.noble, timings.gmp].map(ratioTo);
    rows.push({
      name,
      title: ROW_TITLES[name],
      ...timings,
      ...defined({ ratio, nobleRatio, gmpRatio }),
      ...(target === undefined ? {} : { target }),
    });
  }
  return rows;
}

function roundedTiming({ best, median, samples }: Timing): Timing {
  return { best: rounded(best), median: rounded(median), samples };
}

/** The report for people. */
export function reportText(report: Report): string[] {
  const { machine, runtime, rows } = report;
  const cell = (value: number | undefined) => (value === undefined ? "" : String(value));
  const lines = [
    `${machine.cpu}, ${machine.cores} cores; ${runtime.name} ${runtime.version}; build ${report.build}; ${report.date}`,
    "Microseconds an operation on one core; a ratio is the best of the other / the best of ours, in one run.",
    "",
    ...table([
      [
        ...["operation", "ours", "median", "SIMD build", "BigInt", "ratio", "noble", "ratio", "GMP", "ratio"],
        ...["native", "must", "aim"],
      ],
      ...rows.map((row) => [
        row.title,
        cell(row.fma?.best),
        cell(row.fma?.median),
        cell(row.simd?.best),
        cell(row.bigint?.best),
        cell(row.ratio),
        cell(row.noble?.best),
        cell(row.nobleRatio),
        cell(row.gmp?.best),
        cell(row.gmpRatio),
        cell(row.native?.best),
        cell(row.target?.must),
        cell(row.target?.aim),
      ]),
    ]),
  ];
  for (const [build, start] of Object.entries(report.start)) {
    lines.push(
      "",
      `${build}: core started in ${start.loadMs} ms; tables of P, g, G and one KMS in ${start.tablesMs} ms, ` +
        `${megabytes(start.bytes)}; each further KMS ${start.nextKmsMs} ms, ${megabytes(start.kmsBytes)}; ` +
        `a prepared receiver's key ${megabytes(report.preparedBytes[build as "fma" | "simd"] ?? 0)}.`,
    );
  }
  if (report.batches.length > 0) {
    lines.push("", "Throughput against batch size, operations a second and core:", "");
    lines.push(
      ...table([
        ["batch", "encapsulate", "seal I_MESSAGE"],
        ...report.batches.map((p) => [String(p.size), String(p.encapsulate), String(p.seal)]),
      ]),
    );
  }
  if (report.workers.length > 0) {
    lines.push("", "Throughput against workers, messages a second:", "");
    lines.push(
      ...table([
        [
          "workers",
          "receivers",
          "seal I_MESSAGE",
          "speed-up",
          "median",
          "of this machine",
          "busy cores",
          "tables",
          "each worker",
        ],
        ...report.workers.map((p) => [
          ...[p.workers, p.receivers, p.seal, p.speedup, p.medianSpeedup, p.machineSpeedup, p.busyCores].map(
            String,
          ),
          `${megabytes(p.tableBytes)}${p.tablesShared ? " shared" : " each"}`,
          megabytes(p.workerBytes),
        ]),
      ]),
    );
  }
  return [...lines, ...report.notes.flatMap((note) => ["", note])];
}

function megabytes(bytes: number): string {
  return `${(bytes / (1 << 20)).toFixed(2)} MB`;
}
