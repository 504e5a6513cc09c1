/** Long lists of an admin API, read page by page. */
import { defined } from "../../base/defined.ts";

/** Entries asked for at once; the admin APIs give no more. */
const PAGE = 1000;

/** Returns at most `limit` entries; each page begins after the key of the last entry of the page before. */
export async function paged<T, K = string>(
  limit: number,
  load: (page: { after?: K; limit: number }) => Promise<readonly T[]>,
  keyOf: (entry: T) => K,
  from?: K,
): Promise<T[]> {
  const found: T[] = [];
  let after = from;
  while (found.length < limit) {
    const wanted = Math.min(PAGE, limit - found.length);
    const page = await load(defined({ limit: wanted, after }) as { after?: K; limit: number });
    found.push(...page);
    if (page.length < wanted) break;
    after = keyOf(page.at(-1)!);
  }
  return found;
}
