/** Asks the store about many keys at once; where that fails, halves find the keys that fail, and the others are answered. */

/** What is asked about; without any the question shows whether there is a store to ask at all. */
type Ask<V> = (keys: readonly string[]) => Promise<ReadonlyMap<string, V>>;

/**
 * Answers of all keys but those that fail alone, which `failed` is told of.
 *
 * @throws what the question about nothing throws: then it is the store that fails
 */
export async function askApart<V>(
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
    const first = await askApart(keys.slice(0, half), ask, failed);
    return new Map([...first, ...(await askApart(keys.slice(half), ask, failed))]);
  }
}
