/** Counters of several parts as one. */

/** Adds counters to those that are there, and returns them. */
export function addedTo(
  totals: Record<string, number>,
  counters: Readonly<Record<string, number>>,
): Record<string, number> {
  for (const [name, count] of Object.entries(counters)) totals[name] = (totals[name] ?? 0) + count;
  return totals;
}

/** Counters whose names say what they are of. */
export function named(prefix: string, counters: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counters).map(([name, count]) => [`${prefix}_${name}`, count]));
}
