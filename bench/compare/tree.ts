/** A state of the code that is built and runs its own `mikey-sakke bench`, as published. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../compile.ts";
import type { Figures, Side } from "./judge.ts";

/** The output of the command with --json. */
interface Output {
  readonly rows: readonly { readonly name: string; readonly best: number }[];
}

export class Tree implements Side {
  readonly folder: string;

  /** Builds what is in the folder. */
  constructor(folder: string) {
    this.folder = folder;
    for (const tool of ["tools/build-wasm.mjs", "tools/build-ts.mjs"]) run(process.execPath, [tool], folder);
  }

  run(): Figures {
    const { rows } = JSON.parse(
      run(process.execPath, ["dist/cli/main.js", "bench", "--json"], this.folder),
    ) as Output;
    return Object.fromEntries(rows.map(({ name, best }) => [name, best]));
  }
}

/** The commit that a name stands for. Throws where there is none. */
export function commitOf(ref: string): string {
  return run("git", ["rev-parse", "--verify", "--end-of-options", `${ref}^{commit}`], ROOT).trim();
}

/** Checks a commit out beside the working tree for as long as `work` takes. */
export function withCheckout<T>(commit: string, work: (folder: string) => T): T {
  const parent = mkdtempSync(join(tmpdir(), "mikey-sakke-compare-"));
  const folder = join(parent, "tree");
  try {
    run("git", ["worktree", "add", "--detach", folder, commit], ROOT);
    install(folder);
    return work(folder);
  } finally {
    rmSync(parent, { recursive: true, force: true });
    run("git", ["worktree", "prune"], ROOT);
  }
}

/** The packages of the working tree where they are the same. */
function install(folder: string): void {
  const lock = (of: string) => readFileSync(join(of, "package-lock.json"), "utf8");
  if (lock(folder) === lock(ROOT)) symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  else run("npm", ["ci", "--no-audit", "--no-fund"], folder);
}

/** Standard output. Throws with what the program wrote to standard error when it fails or is interrupted. */
function run(program: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr, error, signal } = spawnSync(program, args, { cwd, encoding: "utf8" });
  if (error !== undefined) throw error;
  if (status === 0) return stdout;
  throw new Error(
    `${program} ${args.join(" ")} in ${cwd} ended with ${signal ?? status}\n${stderr || stdout}`,
  );
}
