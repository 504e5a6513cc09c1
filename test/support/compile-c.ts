/** Compiles a program in C that a test runs as its peer. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

export const CC = "/usr/bin/cc";

/** Warnings are errors. `options` follow the source, as libraries have to. */
export function compileC(source: URL, program: string, ...options: readonly string[]): void {
  execFileSync(CC, ["-Wall", "-Werror", "-O1", "-o", program, fileURLToPath(source), ...options]);
}
