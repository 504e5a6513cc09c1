/** Plots of rates and latencies. uPlot draws them; what is read aloud and what colours do not tell stands beside them. */
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import type { HistoryView } from "../../../roles/console/messages.ts";
import type { SeriesName } from "../../../roles/console/series.ts";
import { say } from "../../client/app/notice.ts";
import { history, loadHistory } from "./history.ts";
import { errorText } from "./words.ts";

interface Plot {
  readonly title: string;
  readonly unit: "per second" | "seconds" | "number";
  readonly lines: readonly (readonly [SeriesName, string])[];
}

const PLOTS: readonly Plot[] = [
  {
    title: "Answers",
    unit: "per second",
    lines: [
      ["kmsAnswers", "KMS"],
      ["gmsAnswers", "GMS, HTTP"],
      ["subscribes", "GMS, SUBSCRIBE"],
      ["notifies", "NOTIFY"],
    ],
  },
  {
    title: "Latency, 95th percentile",
    unit: "seconds",
    lines: [
      ["kmsLatency", "KMS"],
      ["gmsLatency", "GMS, HTTP"],
      ["notifyLatency", "NOTIFY"],
      ["sealLatency", "sealing of a chunk"],
    ],
  },
  {
    title: "Group keys",
    unit: "per second",
    lines: [
      ["sealed", "messages sealed"],
      ["accepted", "accepted"],
      ["refused", "refused"],
    ],
  },
  {
    title: "Refused requests",
    unit: "per second",
    lines: [
      ["kmsRefusals", "KMS"],
      ["gmsRefusals", "GMS, HTTP"],
      ["subscribeRefusals", "GMS, SUBSCRIBE"],
    ],
  },
  {
    title: "Media packets",
    unit: "per second",
    lines: [
      ["mediaPackets", "distributed or mixed"],
      ["mediaRefused", "refused"],
    ],
  },
  {
    title: "Connected users",
    unit: "number",
    lines: [
      ["clients", "signed in to the MCX server"],
      ["participants", "in calls"],
      ["subscriptions", "subscribed to the GMS"],
    ],
  },
  { title: "Event loop lag, 99th percentile", unit: "seconds", lines: [["eventLoop", "all servers"]] },
];

const RANGES = { 1: "hour", 6: "6 hours", 24: "24 hours" } as const;
const HOUR = 3_600_000;
const HEIGHT = 180;
/** Lines differ in dashes as well as in colour. */
const STYLES = [
  ["--good", []],
  ["--main", [8, 4]],
  ["--wait", [2, 3]],
  ["--grave", [10, 3, 2, 3]],
] as const;

export function Plots() {
  const [hours, setHours] = useState(24);
  useEffect(() => {
    loadHistory().catch((error: unknown) => {
      say(errorText(error));
    });
    return () => {
      history.value = undefined;
    };
  }, []);
  const known = history.value;
  return (
    <section aria-label="Plots">
      <div class="head">
        <h2>Rates and latencies</h2>
        <label class="seek">
          Last
          <select value={String(hours)} onChange={(event) => setHours(Number(event.currentTarget.value))}>
            {Object.entries(RANGES).map(([value, text]) => (
              <option key={value} value={value}>
                {text}
              </option>
            ))}
          </select>
        </label>
      </div>
      {known !== undefined && known.times.length < 2 && (
        <p>The server takes a sample every minute. The plots begin with the second one.</p>
      )}
      {known !== undefined && known.times.length >= 2 && (
        <div class="plots">
          {PLOTS.map((plot) => (
            <Figure key={plot.title} plot={plot} hours={hours} known={known} />
          ))}
        </div>
      )}
    </section>
  );
}

interface FigureProps {
  readonly plot: Plot;
  readonly hours: number;
  readonly known: HistoryView;
}

function Figure({ plot, hours, known }: FigureProps) {
  const place = useRef<HTMLDivElement>(null);
  const drawn = useRef<uPlot | undefined>(undefined);
  const scheme = useColourScheme();
  const from = known.times.findIndex((at) => at >= known.times.at(-1)! - hours * HOUR);
  const values = plot.lines.map(([name]) => known.values[name].slice(from));
  useEffect(() => {
    const box = place.current!;
    const now = new uPlot(optionsOf(plot, box), [[], ...plot.lines.map(() => [])], box);
    drawn.current = now;
    const observer = new ResizeObserver(() => now.setSize({ width: box.clientWidth, height: HEIGHT }));
    observer.observe(box);
    return () => {
      observer.disconnect();
      now.destroy();
    };
  }, [scheme]);
  useEffect(() => {
    const times = known.times.slice(from).map((at) => at / 1000);
    drawn.current?.setData([times, ...values.map((list) => [...list])]);
  }, [known, hours, scheme]);
  const facts = values.map((list) => {
    const numbers = list.filter((value) => value !== null);
    const last = list.at(-1) ?? null;
    return numbers.length === 0
      ? "no figures"
      : `${last === null ? "none" : textOf(last, plot)} now, at most ${textOf(Math.max(...numbers), plot)}`;
  });
  return (
    <figure class="plot">
      <figcaption>
        <h3>{plot.title}</h3>
        <ul>
          {plot.lines.map(([name, text], n) => (
            <li key={name}>
              <svg class={`dash dash-${n}`} viewBox="0 0 28 4" aria-hidden="true">
                <path d="M0 2H28" />
              </svg>{" "}
              {text}: <span class="quiet">{facts[n]}</span>
            </li>
          ))}
        </ul>
      </figcaption>
      <div ref={place} class="canvas" aria-hidden="true" />
    </figure>
  );
}

function textOf(value: number, { unit }: Plot): string {
  const number = value.toLocaleString(undefined, { maximumSignificantDigits: 3 });
  return unit === "seconds" ? `${number} s` : unit === "per second" ? `${number}/s` : number;
}

/** Colours on a canvas do not follow the styles of the page. */
function useColourScheme(): boolean {
  const query = matchMedia("(prefers-color-scheme: dark)");
  const [isDark, setDark] = useState(query.matches);
  useEffect(() => {
    const changed = () => setDark(query.matches);
    query.addEventListener("change", changed);
    return () => query.removeEventListener("change", changed);
  }, []);
  return isDark;
}

function optionsOf({ lines }: Plot, box: HTMLElement): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour("--quiet"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { stroke: colour("--line"), width: 1 },
  };
  return {
    width: box.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    axes: [axis, { ...axis, size: 60 }],
    scales: { y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.1 : 1] } },
    series: [
      {},
      ...lines.map(([, label], n) => ({
        label,
        stroke: colour(STYLES[n]![0]),
        dash: [...STYLES[n]![1]],
        width: 2,
        points: { show: false },
      })),
    ],
  };
}
