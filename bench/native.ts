/** The column of a native library: bench/native/wolfssl.c against Debian's libwolfssl-dev, compiled on the spot. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defined } from "../base/defined.ts";
import type { RowName } from "../cli/bench/row.ts";
import type { Timing } from "../cli/bench/sampling.ts";
import { ROOT } from "./compile.ts";

export interface NativeResult {
  readonly rows: Partial<Record<RowName, Timing>>;
  /** Which library, or what is missing. */
  readonly notes: readonly string[];
}

interface Output {
  readonly version: string;
  readonly rows: Partial<Record<RowName, Timing>>;
}

/** Nothing but a note where there is no compiler or no library. Throws when the program itself fails. */
export function measureNative(rounds: number, budget: number): NativeResult {
  const directory = mkdtempSync(join(tmpdir(), "mikey-sakke-bench-"));
  try {
    const program = join(directory, "wolfssl");
    const source = join(ROOT, "bench/native/wolfssl.c");
    const compiled = spawnSync("cc", ["-O2", "-o", program, source, "-lwolfssl"], { encoding: "utf8" });
    if (compiled.error !== undefined) return missing("no C compiler: install gcc");
    if (compiled.status !== 0) {
      const absent = /wolfssl.*No such file|cannot find -lwolfssl/.test(compiled.stderr);
      return missing(absent ? "install libwolfssl-dev" : `the compiler failed: ${compiled.stderr}`);
    }
    const ran = spawnSync(program, [String(rounds), String(budget)], { encoding: "utf8" });
    if (ran.status !== 0) throw new Error(`wolfssl: ${ran.stderr}`);
    const { version, rows } = JSON.parse(ran.stdout) as Output;
    // Nothing is shared in a batch there.
    const single = rows["sakke.encapsulate.single"];
    const sign = rows["eccsi.sign.single"];
    return {
      rows: {
        ...rows,
        ...defined({ "sakke.encapsulate.batch": single, "eccsi.sign.batch": sign }),
      },
      notes: [
        `Native: wolfSSL ${version} as installed, right after the rounds; its batch rows are single ones.`,
      ],
    };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function missing(what: string): NativeResult {
  return { rows: {}, notes: [`No native column: ${what}.`] };
}
