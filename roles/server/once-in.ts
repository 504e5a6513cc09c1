/**
 * Work whose outcome, good or bad, holds for so many milliseconds after it began, or for as long as it takes: whoever asks
 * meanwhile gets the same.
 */
export function onceIn<T>(milliseconds: number, work: () => Promise<T>): () => Promise<T> {
  let last: Promise<T> | undefined;
  let began = 0;
  let isOver = true;
  return () => {
    if (last !== undefined && (!isOver || performance.now() - began < milliseconds)) return last;
    began = performance.now();
    isOver = false;
    last = work();
    const over = () => {
      isOver = true;
    };
    last.then(over, over);
    return last;
  };
}
