/** Measures how work grows with its input, counted in time of the processor, so that a busy machine does not matter. */

const SMALL = 4_000;
const FACTOR = 4;
/** A sample is so long at least, in microseconds: the clock of the processor has steps. */
const SAMPLE = 4_000;
const FEWEST = 4;
const MOST = 60;
/** A multiple that quadratic work does not have. */
const LINEAR = 7;

/**
 * Time for an input four times as large, as a multiple: about 4 where the work is linear, 16 where it is quadratic.
 * `prepare` makes the input, which is not part of the work. The shortest sample of each size counts, as the collection of
 * garbage and the compiler only add to it; there are more samples as long as the multiple is not that of linear work.
 */
export function growthOf(prepare: (n: number) => () => unknown): number {
  const works = [prepare(SMALL), prepare(FACTOR * SMALL)] as const;
  // Compiled code on both sides.
  for (let i = 0; i < 20; i++) works[0]();
  works[1]();
  const shortest = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  const growth = () => shortest[1]! / shortest[0]!;
  for (let samples = 0; samples < FEWEST || (growth() > LINEAR && samples < MOST); samples++) {
    for (const [i, work] of works.entries()) shortest[i] = Math.min(shortest[i]!, timeOf(work));
  }
  return growth();
}

/** Microseconds of one run. */
function timeOf(work: () => unknown): number {
  const begun = process.cpuUsage();
  let runs = 0;
  for (;;) {
    work();
    runs++;
    const { user, system } = process.cpuUsage(begun);
    if (user + system >= SAMPLE) return (user + system) / runs;
  }
}
