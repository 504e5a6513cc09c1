/** Tests that need a program from outside: skipped with a line that names it, except in CI, which installs them. */
import { existsSync } from "node:fs";
import { describe } from "vitest";

export function describeWith(program: string, path: string, name: string, tests: () => void): void {
  if (existsSync(path)) {
    describe(name, tests);
    return;
  }
  if (process.env.CI) throw new Error(`${program} (${path}) is missing, and in CI no test may be skipped`);
  console.warn(`skipped: ${program} (${path}) is missing`);
  describe.skip(name, tests);
}
