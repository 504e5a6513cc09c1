// Plots as SVG, made of strings: nothing to install, and the same octets for the same results.

const [WIDTH, HEIGHT] = [720, 340];
const FRAME = { left: 64, right: 24, top: 64, bottom: 52 };
const COLOURS = ["#1f5fa8", "#b4531a", "#3a7d2c"];
const INK = "#222222";
const GRID = "#dddddd";
const FAINT = "#888888";

const inner = { width: WIDTH - FRAME.left - FRAME.right, height: HEIGHT - FRAME.top - FRAME.bottom };

function text(x, y, content, { anchor = "middle", size = 12, colour = INK, weight = "normal" } = {}) {
  const style = `font-family="sans-serif" font-size="${size}" font-weight="${weight}" fill="${colour}"`;
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" ${style}>${content}</text>`;
}

function line(x1, y1, x2, y2, colour = GRID) {
  const points = [x1, y1, x2, y2].map((v) => v.toFixed(1));
  return `<line x1="${points[0]}" y1="${points[1]}" x2="${points[2]}" y2="${points[3]}" stroke="${colour}"/>`;
}

/** Names under the title, each after a stroke of its colour. */
function legend(entries) {
  return entries.flatMap(([name, colour], k) => {
    const left = FRAME.left + 170 * k;
    return [
      `<line x1="${left}" y1="40" x2="${left + 22}" y2="40" stroke="${colour}" stroke-width="3"/>`,
      text(left + 30, 44, name, { anchor: "start" }),
    ];
  });
}

/** 1, 2 or 5 times a power of ten, so that five steps or fewer reach `top`. */
function stepFor(top) {
  const power = 10 ** Math.floor(Math.log10(top / 5));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => 5 * step >= top);
}

/**
 * A plot with a linear y axis from 0. `ticks` are the labels along x, evenly spaced; a series has a name and a value for each
 * tick. `ideal` is drawn dashed.
 */
function plot({ title, xLabel, ticks, series, ideal }) {
  const top = Math.max(...[...series, ...(ideal ? [ideal] : [])].flatMap(({ values }) => values));
  const step = stepFor(top);
  const limit = step * Math.ceil(top / step);
  const x = (i) => FRAME.left + (inner.width * (i + 0.5)) / ticks.length;
  const y = (value) => FRAME.top + inner.height * (1 - value / limit);
  const path = (values) =>
    values.map((value, i) => `${i ? "L" : "M"}${x(i).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  const parts = [text(FRAME.left, 22, title, { anchor: "start", size: 15, weight: "bold" })];
  for (let value = 0; value <= limit; value += step) {
    parts.push(line(FRAME.left, y(value), WIDTH - FRAME.right, y(value), value === 0 ? INK : GRID));
    parts.push(text(FRAME.left - 8, y(value) + 4, value.toLocaleString("en"), { anchor: "end" }));
  }
  parts.push(...ticks.map((tick, i) => text(x(i), HEIGHT - FRAME.bottom + 18, tick)));
  parts.push(text(FRAME.left + inner.width / 2, HEIGHT - 12, xLabel));
  if (ideal !== undefined) {
    parts.push(`<path d="${path(ideal.values)}" fill="none" stroke="${FAINT}" stroke-dasharray="5 4"/>`);
  }
  series.forEach(({ values }, k) => {
    const circle = (value, i) =>
      `<circle cx="${x(i).toFixed(1)}" cy="${y(value).toFixed(1)}" r="3.5" fill="${COLOURS[k]}"/>`;
    parts.push(`<path d="${path(values)}" fill="none" stroke="${COLOURS[k]}" stroke-width="2"/>`);
    parts.push(...values.map(circle));
  });
  const entries = series.map(({ name }, k) => [name, COLOURS[k]]);
  parts.push(...legend(ideal === undefined ? entries : [...entries, [ideal.name, FAINT]]));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img">`,
    `<title>${title}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    ...parts,
    "</svg>\n",
  ].join("\n");
}

export function batchPlot({ batches }) {
  return plot({
    title: "Operations a second on one core, by size of the batch",
    xLabel: "receivers in a batch",
    ticks: batches.map(({ size }) => String(size)),
    series: [
      { name: "encapsulate", values: batches.map(({ encapsulate }) => encapsulate) },
      { name: "seal an I_MESSAGE", values: batches.map(({ seal }) => seal) },
    ],
  });
}

export function workersPlot({ workers }) {
  const [first] = workers;
  return plot({
    title: `I_MESSAGEs sealed a second for ${first.receivers} receivers, by number of workers`,
    xLabel: "workers",
    ticks: workers.map((point) => String(point.workers)),
    series: [{ name: "measured", values: workers.map(({ seal }) => seal) }],
    ideal: {
      name: "in proportion",
      values: workers.map((point) => (first.seal * point.workers) / first.workers),
    },
  });
}

/** Time of the server on a processor where it is known. */
const costOf = (point, name) => {
  const { ms, processorMs = ms } = point.costs.find((cost) => cost.name === name);
  return processorMs;
};

export function scalePlot({ points }) {
  const series = [
    ["claim of 256 messages", "claim of 256 messages"],
    ["counts, once a minute", "counts"],
    ["outcome of 256 messages", "outcome of 256 messages"],
  ];
  return plot({
    title: "Milliseconds of PostgreSQL for one call, by size of the GMS",
    xLabel: "members, and rekeys that run",
    ticks: points.map(
      ({ members, rekeys }) => `${members.toLocaleString("en")} / ${rekeys.toLocaleString("en")}`,
    ),
    series: series.map(([name, cost]) => ({ name, values: points.map((point) => costOf(point, cost)) })),
  });
}
