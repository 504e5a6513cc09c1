/** The faults that a schema finds in a configuration or request, as a text for whoever wrote it. */
import type { z } from "zod";

/** A body of a mebibyte may have a fault in each of its octets. */
const MOST = 20;

/**
 * Returns `path: message` of each fault, separated by "; ". After twenty of them it says how many more there are.
 *
 * @param name of the whole, before each path; without it the whole is called `(top)`
 */
export function faultsOf({ issues }: Pick<z.ZodError, "issues">, name?: string): string {
  const root = name === undefined ? [] : [name];
  const faults = issues
    .slice(0, MOST)
    .map(({ path, message }) => `${[...root, ...path].join(".") || "(top)"}: ${message}`);
  if (issues.length > MOST) faults.push(`and ${issues.length - MOST} more`);
  return faults.join("; ");
}
