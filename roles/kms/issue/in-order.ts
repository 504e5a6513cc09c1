/** Work on several things at a time, results in order. */

/**
 * `work` on each item, at most `width` at a time; the results in the order of the items. When it ends early, by an error
 * or by the consumer, it waits for what is under way and hands those results to `drop`.
 */
export async function* inOrder<Item, Result>(
  items: Iterable<Item>,
  width: number,
  work: (item: Item) => Promise<Result>,
  drop: (result: Result) => void,
): AsyncGenerator<Result, void, undefined> {
  const underWay: Promise<Result>[] = [];
  try {
    for (const item of items) {
      const result = work(item);
      // Awaited in its turn, which may be after it failed.
      result.catch(() => {});
      underWay.push(result);
      if (underWay.length >= width) yield await underWay.shift()!;
    }
    while (underWay.length > 0) yield await underWay.shift()!;
  } finally {
    for (const outcome of await Promise.allSettled(underWay)) {
      if (outcome.status === "fulfilled") drop(outcome.value);
    }
  }
}

/** Parts of at most `size`. */
export function* slices<Item>(items: readonly Item[], size: number): Generator<readonly Item[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}
