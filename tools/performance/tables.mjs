// Results as Markdown.

/** Rows of cells; columns after the first `left` are set to the right. */
function table(head, rows, left = 1) {
  const rule = head.map((_, i) => (i < left ? "---" : "--:"));
  return [head, rule, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

const number = (value) =>
  value >= 1000 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(3)));
const best = (timing) => (timing === undefined ? "" : number(timing.best));
const ours = (row) => row.fma ?? row.simd;
const megabytes = (bytes) => `${(bytes / 2 ** 20).toFixed(2)} MB`;

/** Returns how many times its best the typical sample took: 1.0 on a machine that does nothing else. */
function noise({ rows }) {
  const factors = rows.map((row) => ours(row).median / ours(row).best).sort((a, b) => a - b);
  return factors[factors.length >> 1];
}

export function machineText(report) {
  const { machine, runtime, date, build, notes, version } = report;
  const factor = noise(report);
  const state = factor < 1.15 ? "quiet" : "noisy";
  const versions = `${runtime.name} ${runtime.version}${runtime.v8 === undefined ? "" : ` (V8 ${runtime.v8})`}`;
  return [
    `${machine.cpu}, ${machine.cores} cores; ${versions}; package ${version}, build ${build}; ${date.slice(0, 16)}Z.`,
    `State of the machine: **${state}**. The median of a row is ${factor.toFixed(2)} times its best sample (the middle one of all`,
    `rows); load average at the start ${machine.load}.`,
    ...(state === "noisy" ? ["So a bound that is missed below says little; the ratios of one run do."] : []),
    ...notes,
  ].join("\n");
}

export function resultsTable({ rows }) {
  const verdict = ({ target, ratio, ...row }) => {
    if (target === undefined) return "";
    if (target.ratio !== undefined && ratio !== undefined && ratio < target.ratio) return "ratio missed";
    const { best: time } = ours(row);
    if (time <= target.aim) return "aim";
    return time <= target.must ? "must" : "missed";
  };
  return table(
    [
      "operation",
      "ours",
      "median",
      "SIMD build",
      "BigInt",
      "native",
      "ratio to BigInt",
      "must",
      "aim",
      "reached",
    ],
    rows.map((row) => [
      row.title,
      `**${best(ours(row))}**`,
      number(ours(row).median),
      best(row.simd),
      best(row.bigint),
      best(row.native),
      row.ratio === undefined
        ? ""
        : `${number(row.ratio)}${row.target?.ratio === undefined ? "" : ` (must ${row.target.ratio})`}`,
      row.target === undefined ? "" : number(row.target.must),
      row.target === undefined ? "" : number(row.target.aim),
      verdict(row),
    ]),
  );
}

const LIBRARIES = {
  noble: ["@noble/curves", "nobleRatio"],
  gmp: ["GMP in WebAssembly", "gmpRatio"],
};

/** Every row that a library of others has as well, on every host it was measured on. */
export function librariesTable(reports) {
  if (reports.length === 0) return undefined;
  const [[, first]] = reports;
  const rows = first.rows.flatMap(({ name, title }) =>
    Object.entries(LIBRARIES).flatMap(([library, [product, ratio]]) =>
      reports.flatMap(([, { rows, runtime }]) => {
        const row = rows.find((candidate) => candidate.name === name);
        const other = row?.[library];
        if (other === undefined) return [];
        const host = `${runtime.name} ${runtime.version}`;
        const times = [ours(row), other].flatMap((timing) => [number(timing.best), number(timing.median)]);
        return [[title, host, product, ...times, `**${number(row[ratio])}**`]];
      }),
    ),
  );
  const head = [
    "operation",
    "host",
    "library",
    "ours, best",
    "median",
    "theirs, best",
    "median",
    "ratio of bests",
  ];
  return [...reports.map(([, report]) => librariesRun(report)), "", table(head, rows, 3)].join("\n");
}

function librariesRun(report) {
  const { machine, runtime, date, build } = report;
  const run = `${runtime.name} ${runtime.version}, build ${build}, ${date.slice(0, 16)}Z`;
  const load = `load average ${machine.load}; the median of a row is ${noise(report).toFixed(2)} times its best`;
  return `- ${machine.cpu}, ${machine.cores} cores; ${run};\n  ${load}.`;
}

/** Arithmetic of one call of each row, in vectors as they are counted. */
export function arithmeticTable({ arithmetic }) {
  const kinds = ["multiply", "square", "multiplyTwice", "invert"];
  return table(
    ["one call of", "M", "S", "D", "I", "M of P-256", "S of P-256", "D of P-256", "I of P-256"],
    Object.entries(arithmetic).map(([name, fields]) => [
      `\`${name}\``,
      ...["sakke", "p256"].flatMap((field) => kinds.map((kind) => number(fields[field][kind] ?? 0))),
    ]),
  );
}

/** Returns the table of the other counts, which do not depend on the machine. */
export function countsTable({ statements, octets }) {
  return table(
    ["what", "count"],
    [
      ...Object.entries(statements).map(([what, count]) => [`SQL statements: ${what}`, number(count)]),
      ...Object.entries(octets).map(([what, count]) => [`octets written: ${what}`, number(count)]),
    ],
  );
}

export function hostsTable(reports) {
  const [[, first]] = reports;
  return table(
    ["operation", ...reports.flatMap(([, { runtime }]) => [`${runtime.name} ${runtime.version}`, "ratio"])],
    first.rows.map(({ name, title }) => [
      title,
      ...reports.flatMap(([, { rows }]) => {
        const row = rows.find((candidate) => candidate.name === name);
        if (row === undefined) return ["", ""];
        return [best(ours(row)), row.ratio === undefined ? "" : number(row.ratio)];
      }),
    ]),
  );
}

export function startTable(reports) {
  return table(
    [
      "host",
      "build",
      "start of the core",
      "tables of P, g, G and a KMS",
      "memory",
      "next KMS",
      "memory",
      "prepared key",
    ],
    reports.flatMap(([, { runtime, start, preparedBytes }]) =>
      Object.entries(start).map(([build, s]) => [
        `${runtime.name} ${runtime.version}`,
        build,
        `${number(s.loadMs)} ms`,
        `${number(s.tablesMs)} ms`,
        megabytes(s.bytes),
        `${number(s.nextKmsMs)} ms`,
        megabytes(s.kmsBytes),
        megabytes(preparedBytes[build]),
      ]),
    ),
    2,
  );
}

export function workersTable({ workers }) {
  if (workers.length === 0) return undefined;
  return table(
    [
      "workers",
      "receivers",
      "messages a second",
      "speed-up",
      "median",
      "of this machine",
      "busy cores",
      "tables",
      "memory of each worker",
    ],
    workers.map((p) => [
      p.workers,
      p.receivers,
      number(p.seal),
      p.speedup,
      p.medianSpeedup,
      p.machineSpeedup,
      p.busyCores,
      `${megabytes(p.tableBytes)}, ${p.tablesShared ? "shared" : "each"}`,
      megabytes(p.workerBytes),
    ]),
    0,
  );
}

const PARTS = {
  multiply: ["M", "multiplication mod p", true],
  square: ["S", "squaring mod p", true],
  multiplyTwice: ["D", "a b + c d mod p, one reduction", true],
  addAndSubtract: ["", "addition and subtraction mod p", true],
  scan: ["", "scan of a row of 64 points (16 kB), masks included", true],
  invert: ["I", "inversion mod p", false],
  multiplyScalars: ["", "Montgomery product mod q", false],
  multiply256: ["", "multiplication mod p of P-256", true],
  square256: ["", "squaring mod p of P-256", true],
  addAndSubtract256: ["", "addition and subtraction mod p of P-256", true],
  invert256: ["", "inversion mod the order of P-256", false],
  multiplyScalars256: ["", "Montgomery product mod the order of P-256", false],
};

/** Nanoseconds of single steps, for a vector and for one of its lanes. */
export function partsTable({ parts, lanes }) {
  return table(
    ["step", "", `ns a vector of ${lanes}`, "ns each"],
    Object.entries(PARTS).map(([part, [symbol, what, vector]]) => [
      what,
      symbol,
      vector ? number(1000 * parts[part]) : "",
      number((1000 * parts[part]) / (vector ? lanes : 1)),
    ]),
    2,
  );
}

/** Counts of single multiplications, not of vectors: each lane works on something. */
export function operationsTable({ rows, lanes }) {
  const titles = rowTitles(rows);
  return table(
    [
      "operation",
      "M",
      "S",
      "D",
      "I",
      "products mod q",
      "rows scanned",
      "M of P-256",
      "S of P-256",
      "expected µs",
      "measured µs",
      "explained",
    ],
    rows.map(({ name, sakke, p256, expected, measured }) => [
      titles[name],
      number(lanes * sakke.multiply),
      number(lanes * sakke.square),
      number(lanes * sakke.multiplyTwice),
      number(sakke.invert),
      number(sakke.multiplyScalars),
      number((lanes * sakke.scannedElements) / 128),
      number(lanes * p256.multiply),
      number(lanes * p256.square),
      number(expected),
      number(measured),
      `${((100 * expected) / measured).toFixed(0)} %`,
    ]),
  );
}

/** Returns the table of where the time of each operation goes. */
export function sharesTable({ rows }) {
  const titles = rowTitles(rows);
  const share = (us, measured) => `${((100 * us) / measured).toFixed(0)} %`;
  return table(
    ["operation", "products", "squares", "sums", "scans", "inversions", "products mod q", "rest"],
    rows.map(({ name, explained: e, expected, measured }) => [
      titles[name],
      share(e.multiply + e.multiplyTwice, measured),
      share(e.square, measured),
      share(e.addOrSubtract, measured),
      share(e.scannedElements, measured),
      share(e.invert, measured),
      share(e.multiplyScalars, measured),
      share(Math.max(0, measured - expected), measured),
    ]),
  );
}

/** Time, preparation and memory for each width of the windows. */
export function windowsTable({ widths }) {
  return table(
    ["use", "window", "µs an operation", "tables ms", "tables kB"],
    widths.map(({ use, width, us, tableMs, tableBytes }) => [
      use,
      width,
      number(us),
      number(tableMs),
      (tableBytes / 1024).toFixed(0),
    ]),
  );
}

function rowTitles(rows) {
  return Object.fromEntries(rows.map(({ name, title }) => [name, title ?? `\`${name}\``]));
}

export function timingText({ machine, runtime, build, date, passed, threshold, quick }) {
  const result = passed ? "**passed**" : "**failed**";
  return [
    `${machine.cpu}, ${machine.cores} cores; ${runtime.name} ${runtime.version}; build ${build}; ${date.slice(0, 16)}Z${quick ? "; --quick" : ""}.`,
    `Load average at the start ${machine.load}. Threshold ${threshold}. The test ${result}.`,
  ].join("\n");
}

export function timingTable({ cases }) {
  return table(
    [
      "kind",
      "routine and secret",
      "classes",
      "µs",
      "t",
      "Welch t",
      "difference ns",
      "would have seen",
      "result",
    ],
    cases.map((c) => [
      c.kind,
      c.name,
      c.classes.join(" / "),
      number(c.typicalUs),
      c.t.toFixed(1),
      c.welchT.toFixed(1),
      c.differenceNs.toFixed(1),
      `${number(c.smallestNs)} ns, ${((0.1 * c.smallestNs) / c.typicalUs).toFixed(2)} %`,
      `${c.passed ? "as it must" : "**failed**"}${c.repeated ? ", second look" : ""}`,
    ]),
    3,
  );
}

export function scaleText({ machine, runtime, date }) {
  return [
    `${machine.cpu}, ${machine.cores} cores; ${runtime.name} ${runtime.version}; ${date.slice(0, 16)}Z; load average at the start`,
    `${machine.load}.`,
  ].join("\n");
}

/**
 * For each call: what it writes, and its processor time and elapsed time at the smallest, the middle and the largest
 * size.
 */
export function scaleTable({ points }) {
  const shown = [points[0], points[points.length >> 1], points.at(-1)];
  const kilobytes = (octets) => (octets / 1024).toFixed(1);
  const sizes = shown.map(
    ({ members, rekeys }) => `${members.toLocaleString("en")} / ${rekeys.toLocaleString("en")}, ms`,
  );
  const times = (point, name) => {
    const { ms, processorMs } = point.costs.find((cost) => cost.name === name);
    return processorMs === undefined ? number(ms) : `${number(processorMs)} (${number(ms)})`;
  };
  return table(
    ["call of one process", "rows written", "WAL, kB", ...sizes],
    points
      .at(-1)
      .costs.map(({ name, rows, walOctets }) => [
        name,
        Math.round(rows).toLocaleString("en"),
        kilobytes(walOctets),
        ...shown.map((point) => times(point, name)),
      ]),
  );
}

export function idleTable({ points }) {
  return table(
    ["members / running rekeys", "calls a second", "rows written a second", "WAL a second, kB"],
    points.map(({ members, rekeys, idle }) => [
      `${members.toLocaleString("en")} / ${rekeys.toLocaleString("en")}`,
      idle.statements.toFixed(1),
      idle.rows.toFixed(2),
      (idle.walOctets / 1024).toFixed(2),
    ]),
  );
}
