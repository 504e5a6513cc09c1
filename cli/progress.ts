/** Progress: a bar or line that redraws itself on a terminal; elsewhere a line every tenth, or whenever it changes. */
import type { TextStream } from "./output.ts";

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
    const filled = Math.round((BAR_WIDTH * done) / total);
    const gauge = "#".repeat(filled) + ".".repeat(BAR_WIDTH - filled);
    const line = `${label}  [${gauge}]  ${done}/${total}${rate}`;
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

function lines(label: string, total: number, stream: TextStream): Progress {
  let tenth = 0;
  return {
    update(done) {
      const reached = Math.floor((10 * done) / total);
      if (reached <= tenth) return;
      tenth = reached;
      stream.write(`${label}: ${done}/${total}\n`);
    },
    end() {},
  };
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
