/**
 * Progress: a bar or line that redraws itself on a terminal; elsewhere a line at the start and every tenth, or whenever it
 * changes. What is left is told by the pace so far.
 */
import type { TextStream } from "./streams.ts";

export interface Progress {
  /** Items done so far. */
  update(done: number): void;
  /** Ends the display. Also after a failure, so that the error starts on its own line. */
  end(): void;
}

export interface StatusLine {
  show(text: string): void;
  /** Ends the display. */
  end(): void;
}

const BAR_WIDTH = 30;
/** A shorter bar says less than nothing at all. */
const LEAST_WIDTH = 5;
/** Redrawing more often than this only costs time. */
const REDRAW_MS = 50;
const CLEAR_LINE = "\r\x1b[K";

export function startProgress(label: string, total: number, stream: TextStream | undefined): Progress {
  if (stream === undefined || total <= 0) return { update() {}, end() {} };
  return stream.isTTY ? bar(label, total, stream) : lines(label, total, stream);
}

function bar(label: string, total: number, stream: TextStream): Progress {
  const started = performance.now();
  let drawn = Number.NEGATIVE_INFINITY;
  let done = 0;
  const draw = () => {
    drawn = performance.now();
    const seconds = (drawn - started) / 1000;
    const rate = done > 0 && seconds > 0 ? `  ${Math.round(done / seconds)}/s` : "";
    const left = leftOf(done, total, seconds);
    const figures = `${done}/${total}${rate}${left === "" ? "" : `  ${left}`}`;
    // The figures say more than the bar, which has what room they leave.
    const room = (stream.columns || 80) - 1 - `${label}  []  ${figures}`.length;
    const line = `${label}  ${gauge(done / total, Math.min(room, BAR_WIDTH))}${figures}`;
    stream.write(CLEAR_LINE + line.slice(0, (stream.columns || 80) - 1));
  };
  draw();
  return {
    update(now) {
      done = now;
      if (performance.now() - drawn >= REDRAW_MS) draw();
    },
    end() {
      draw();
      stream.write("\n");
    },
  };
}

function gauge(share: number, width: number): string {
  if (width < LEAST_WIDTH) return "";
  const filled = Math.round(width * share);
  return `[${"#".repeat(filled)}${".".repeat(width - filled)}]  `;
}

function lines(label: string, total: number, stream: TextStream): Progress {
  const started = performance.now();
  let tenth = 0;
  stream.write(`${label}: 0/${total}\n`);
  return {
    update(done) {
      const reached = Math.floor((10 * done) / total);
      if (reached <= tenth) return;
      tenth = reached;
      const left = leftOf(done, total, (performance.now() - started) / 1000);
      stream.write(`${label}: ${done}/${total}${left === "" ? "" : `, ${left}`}\n`);
    },
    end() {},
  };
}

/** Before that the pace is a guess, and what is shorter needs no forecast. */
const FORECAST_AFTER = 2;

/** Empty: not known yet, or done. */
function leftOf(done: number, total: number, seconds: number): string {
  if (done <= 0 || done >= total || seconds < FORECAST_AFTER) return "";
  const left = Math.ceil((seconds * (total - done)) / done);
  return left < 60 ? `${left} s left` : `${Math.floor(left / 60)} min ${left % 60} s left`;
}

export function startStatus(stream: TextStream | undefined): StatusLine {
  if (stream === undefined) return { show() {}, end() {} };
  let shown = "";
  const show = (text: string) => {
    if (text === shown) return;
    shown = text;
    stream.write(stream.isTTY ? CLEAR_LINE + text.slice(0, (stream.columns || 80) - 1) : `${text}\n`);
  };
  return { show, end: () => void (stream.isTTY && shown !== "" && stream.write("\n")) };
}
