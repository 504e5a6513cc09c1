/**
 * `npm run bench:table`: every row that has a bound, in one run. The arithmetic on this Node.js beside wolfSSL, on others
 * (--node PATH, as often as needed) and in Chromium; then media, a rekey on PostgreSQL, and the start of the servers.
 * Options: --json, --quick, --out FILE; --arithmetic leaves the rest out.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { table } from "../cli/terminal/output.ts";
import { hasChromium } from "./browser/launch.ts";
import { ROOT } from "./compile.ts";
import type { Report } from "./report.ts";
import { measureServerStart, type ServerStart } from "./server-start.ts";
import { AROUND_TARGETS, type Target, WORKERS_TARGET } from "./targets.ts";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    arithmetic: { type: "boolean", default: false },
    node: { type: "string", multiple: true, default: [] },
    out: { type: "string" },
  },
});

/** Returns what another benchmark prints with --json. */
async function resultOf<T>(script: string, options: readonly string[], node = process.execPath): Promise<T> {
  process.stderr.write(`${script} ${options.join(" ")}, ${node}\n`);
  const child = spawn(node, ["--import", "tsx", join(ROOT, "bench", script), "--json", ...options], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.on("data", (piece: Buffer) => {
    text += piece.toString();
  });
  const [status] = await once(child, "close");
  if (status !== 0) throw new Error(`bench/${script} on ${node} ended with status ${status}`);
  return JSON.parse(text) as T;
}

interface Media {
  readonly ratios: readonly { readonly protect: number; readonly unprotect: number }[];
}

interface Rekeys {
  readonly points: readonly { readonly ratio: number; readonly notifiesPerSecond: readonly number[] }[];
}

interface Around {
  readonly media: Media;
  readonly rekeys: Rekeys;
  readonly start: ServerStart;
}

async function measureAround(): Promise<Around> {
  const rounds = values.quick ? ["--rounds", "1"] : [];
  const media = await resultOf<Media>("media.ts", rounds);
  const rekeys = await resultOf<Rekeys>("gms.ts", ["--database", "postgresql", ...rounds]);
  return { media, rekeys, start: await measureServerStart() };
}

function median(of: readonly number[]): number | undefined {
  return [...of].sort((a, b) => a - b)[Math.floor(of.length / 2)];
}

const cell = (value: number | undefined) => (value === undefined ? "" : String(Number(value.toPrecision(4))));

/** "aim", "must" or "no": what a figure reaches. */
function reached(value: number | undefined, target: Target | undefined, larger: boolean): string {
  if (value === undefined || target === undefined) return "";
  const meets = (bound: number) => (larger ? value >= bound : value <= bound);
  if (meets(target.aim)) return "aim";
  return meets(target.must) ? "must" : "no";
}

function arithmeticLines(reports: readonly Report[]): string[] {
  const [main, ...others] = reports as readonly [Report, ...Report[]];
  const bestOn = (report: Report, name: string) => {
    const row = report.rows.find((candidate) => candidate.name === name);
    return (row?.fma ?? row?.simd)?.best;
  };
  const name = ({ runtime }: Report) => `${runtime.name} ${runtime.version}`;
  return [
    `${main.machine.cpu}, ${main.machine.cores} cores, load average ${main.machine.load ?? "unknown"}; best, µs an operation`,
    "",
    ...table([
      [
        "operation",
        name(main),
        "must",
        "aim",
        "reached",
        "wolfSSL",
        "ratio",
        "SIMD build",
        "ratio",
        ...others.map(name),
      ],
      ...main.rows.map((row) => {
        const ours = (row.fma ?? row.simd)?.best;
        const ratio = (other: number | undefined) => cell(other && ours && other / ours);
        return [
          row.title,
          cell(ours),
          cell(row.target?.must),
          cell(row.target?.aim),
          reached(ours, row.target, false),
          cell(row.native?.best),
          ratio(row.native?.best),
          cell(row.simd?.best),
          ratio(row.simd?.best),
          ...others.map((report) => cell(bestOn(report, row.name))),
        ];
      }),
    ]),
    ...main.notes.flatMap((note) => ["", note]),
  ];
}

function aroundLines(main: Report, around: Around | undefined): string[] {
  const rows: [string, number | undefined, Target, boolean][] = [];
  const two = main.workers.find(({ workers }) => workers === 2);
  rows.push(["two workers against one, median", two?.medianSpeedup, WORKERS_TARGET, true]);
  if (around !== undefined) {
    const { media, rekeys, start } = around;
    const targets = AROUND_TARGETS;
    rows.push(
      ["SRTP protect against node:crypto alone", media.ratios[0]?.protect, targets.protect, true],
      ["SRTP open against node:crypto alone", media.ratios[0]?.unprotect, targets.open, true],
      ["rekey of 10,000, stored / sealing alone, PostgreSQL", rekeys.points[0]?.ratio, targets.rekey, true],
      [
        "GMS: NOTIFYs acknowledged a second of its main thread, PostgreSQL",
        median(rekeys.points[0]?.notifiesPerSecond ?? []),
        targets.notifiesPerSecond,
        true,
      ],
      ["serve: first start, s", start.firstSeconds, targets.firstStart, false],
      ["serve: later start, s", start.laterSeconds, targets.laterStart, false],
      ["serve: resident idle, MB", start.idleBytes / 1e6, targets.idleMegabytes, false],
    );
  }
  return table([
    ["around the arithmetic", "ours", "must", "aim", "reached"],
    ...rows.map(([what, value, target, larger]) => [
      what,
      cell(value),
      cell(target.must),
      cell(target.aim),
      reached(value, target, larger),
    ]),
  ]);
}

const effort = values.quick ? ["--quick"] : [];
const reports = [await resultOf<Report>("main.ts", effort)];
for (const node of values.node) reports.push(await resultOf<Report>("main.ts", effort, node));
if (hasChromium()) reports.push(await resultOf<Report>("browser/main.ts", effort));
else process.stderr.write("Chromium is missing: no column of a browser\n");
const around = values.arithmetic ? undefined : await measureAround();
const json = `${JSON.stringify({ schema: 1, reports, around }, null, 2)}\n`;
if (values.out !== undefined) writeFileSync(values.out, json);
const lines = [...arithmeticLines(reports), "", ...aroundLines(reports[0]!, around)];
process.stdout.write(values.json ? json : `${lines.join("\n")}\n`);
