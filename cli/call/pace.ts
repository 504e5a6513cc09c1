/** One frame of speech every 20 ms, on average: what came late is made up for. */
export const FRAME_MS = 20;

/** Calls until it says false, or `signal` ends it. */
export async function everyFrame(
  frame: (n: number) => boolean | Promise<boolean>,
  signal?: AbortSignal,
): Promise<void> {
  const started = performance.now();
  for (let n = 0; !signal?.aborted && (await frame(n)); n++) {
    const wait = started + (n + 1) * FRAME_MS - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
  }
}
