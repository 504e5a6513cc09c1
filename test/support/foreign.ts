/** Tests that need programs from outside: skipped with a line that names what is missing, except in CI, which installs them. */
import { existsSync } from "node:fs";
import { describe } from "vitest";

export function describeWith(program: string, path: string, name: string, tests: () => void): void {
  describeWithAll({ [program]: path }, name, tests);
}

/** `programs`: a path of each, by its name. */
export function describeWithAll(
  programs: Readonly<Record<string, string>>,
  name: string,
  tests: () => void,
): void {
  if (areThere(programs)) describe(name, tests);
  else describe.skip(name, tests);
}

/** Returns false and says what is missing where a part of a test must be left out, and throws in CI. */
export function areThere(programs: Readonly<Record<string, string>>): boolean {
  const absent = Object.entries(programs).filter(([, path]) => !existsSync(path));
  if (absent.length === 0) return true;
  const missing = absent.map(([program, path]) => `${program} (${path})`).join(", ");
  if (process.env.CI) throw new Error(`${missing} is missing, and in CI no test may be skipped`);
  console.warn(`skipped: ${missing} is missing`);
  return false;
}
