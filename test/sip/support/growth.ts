/** How work grows with its input, counted in time of the processor, so that a busy machine does not matter. */

const SMALL = 4_000;
const FACTOR = 4;
/** A sample is so long at least, in microseconds: the clock of the processor has steps. */
const SAMPLE = 4_000;
const SAMPLES = 4;

/**
 * Time for an input four times as large, as a multiple: about 4 where the work is linear, 16 where it is quadratic. The
 * shortest of some samples counts. `prepare` makes the input, which is not part of the work.
 */
export function growthOf(prepare: (n: number) => () => unknown): number {
  const [small, large] = [prepare(SMALL), prepare(FACTOR * SMALL)];
  // Compiled code on both sides.
  for (let i = 0; i < 20; i++) small();
  large();
  const times = [small, large].map((work) =>
    Math.min(...Array.from({ length: SAMPLES }, () => timeOf(work))),
  );
  return times[1]! / times[0]!;
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
