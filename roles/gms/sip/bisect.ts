/** A query about many keys at once, which isolates the keys that fail by bisection and answers the others. */

/** Answers a query about some keys. A query about none shows whether the store can be asked at all. */
type Ask<V> = (keys: readonly string[]) => Promise<ReadonlyMap<string, V>>;

/**
 * Returns the answers for all keys but those that fail alone, which are handed to `failed`.
 *
 * @throws what a query about no keys throws: then it is the store that fails
 */
export async function askBisecting<V>(
  keys: readonly string[],
  ask: Ask<V>,
  failed: (key: string, error: unknown) => void,
): Promise<Map<string, V>> {
  try {
    return new Map(await ask(keys));
  } catch (error) {
    await ask([]);
    if (keys.length === 1) {
      failed(keys[0]!, error);
      return new Map();
    }
    const half = Math.ceil(keys.length / 2);
    const first = await askBisecting(keys.slice(0, half), ask, failed);
    return new Map([...first, ...(await askBisecting(keys.slice(half), ask, failed))]);
  }
}
