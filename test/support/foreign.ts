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
  const absent = Object.entries(programs).filter(([, path]) => !existsSync(path));
  if (absent.length === 0) {
    describe(name, tests);
    return;
  }
  const missing = absent.map(([program, path]) => `${program} (${path})`).join(", ");
  if (process.env.CI) throw new Error(`${missing} is missing, and in CI no test may be skipped`);
  console.warn(`skipped: ${missing} is missing`);
  describe.skip(name, tests);
}
