/** A chart of how many members had answered when, as steps, with the same in words. */
import { span } from "./words.ts";

export interface Line {
  readonly name: string;
  /** Times, in any order of their own: one for each that was counted. Or points. */
  readonly points: readonly (readonly [at: number, count: number])[];
}

const WIDTH = 600;
const HEIGHT = 160;
const LEFT = 44;
const BOTTOM = 22;
const TOP = 8;
/** Points of a line; more would not be seen. */
const MOST_POINTS = 300;

/** One point for each time, counted up, of which at most so many are kept. */
export function countedUp(times: readonly number[]): (readonly [number, number])[] {
  const sorted = [...times].sort((a, b) => a - b);
  const step = Math.max(1, Math.ceil(sorted.length / MOST_POINTS));
  return sorted.flatMap((at, n) => (n % step === 0 || n === sorted.length - 1 ? [[at, n + 1] as const] : []));
}

export function Chart({
  lines,
  from,
  total,
  label,
}: {
  readonly lines: readonly Line[];
  readonly from: number;
  readonly total: number;
  readonly label: string;
}) {
  const end = Math.max(from + 1000, ...lines.flatMap(({ points }) => points.at(-1)?.[0] ?? []));
  const x = (at: number) => LEFT + ((Math.max(at, from) - from) / (end - from)) * (WIDTH - LEFT - 8);
  const y = (count: number) => TOP + (1 - count / Math.max(total, 1)) * (HEIGHT - TOP - BOTTOM);
  const stepTo = ([at, count]: Line["points"][number]) => `H${x(at).toFixed(1)}V${y(count).toFixed(1)}`;
  const path = (points: Line["points"]) => `M${x(from)} ${y(0)}${points.map(stepTo).join("")}H${x(end)}`;
  return (
    <figure class="chart">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
        {[0, 0.5, 1].map((share) => (
          <g key={share}>
            <line class="grid" x1={LEFT} x2={WIDTH - 8} y1={y(share * total)} y2={y(share * total)} />
            <text x={LEFT - 6} y={y(share * total) + 4} text-anchor="end">
              {Math.round(share * total)}
            </text>
          </g>
        ))}
        <text x={LEFT} y={HEIGHT - 5}>
          0 s
        </text>
        <text x={WIDTH - 8} y={HEIGHT - 5} text-anchor="end">
          {span(end - from)}
        </text>
        {lines.map(({ name, points }, n) => (
          <path key={name} class={`line line-${n}`} d={path(points)} />
        ))}
      </svg>
      <figcaption>
        {lines.map(({ name }, n) => (
          <span key={name} class="legend">
            <i class={`swatch line-${n}`} aria-hidden="true" /> {name}
          </span>
        ))}
      </figcaption>
    </figure>
  );
}
