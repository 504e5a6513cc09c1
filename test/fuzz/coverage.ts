/** The blocks of the parsers that were run, as V8 counts them (the precise coverage of node:inspector). */
import { type Profiler, Session } from "node:inspector";

const SOURCES = /\/(?:bindings|transport)\//;

export class Coverage {
  readonly #session = new Session();
  readonly #seen = new Set<string>();

  constructor() {
    this.#session.connect();
    this.#session.post("Profiler.enable");
    // With counts: without them V8 tells of each block only once, and whatever ran it first could not be found.
    this.#session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  }

  get size(): number {
    return this.#seen.size;
  }

  /** Blocks that this runs, and that were not added before. */
  unseen(run: () => void): string[] {
    this.#take();
    run();
    return this.#take().filter((block) => !this.#seen.has(block));
  }

  add(blocks: readonly string[]): void {
    for (const block of blocks) this.#seen.add(block);
  }

  /** Blocks that ran since the last call. */
  #take(): string[] {
    let blocks: string[] = [];
    // The session of one's own thread answers before it returns.
    this.#session.post("Profiler.takePreciseCoverage", (error, taken) => {
      if (error === null) blocks = blocksOf(taken.result);
    });
    return blocks;
  }
}

function blocksOf(scripts: readonly Profiler.ScriptCoverage[]): string[] {
  return scripts
    .filter(({ url }) => SOURCES.test(url))
    .flatMap(({ scriptId, functions }) =>
      functions.flatMap(({ ranges }) =>
        ranges
          .filter(({ count }) => count > 0)
          .map(({ startOffset, endOffset }) => `${scriptId} ${startOffset} ${endOffset}`),
      ),
    );
}
