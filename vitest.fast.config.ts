/** `npm run test:fast`: the tests that start no database, browser, worker or other program, and need no long time. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { defineConfig } from "vitest/config";
import config from "./vitest.config.ts";

/** Words by which a file shows that it starts something, or replaces a module, which others would then have too. */
const STARTS =
  /vi\.mock\(|openPglite\(|openDatabase\(|createPool\(|createKmsPool\(|from "(?:node:child_process|node:worker_threads|esbuild)"|support\/(?:foreign|databases|postgres|packed|chromium|memory|bundle|compile-core)\.ts"/;

/** They have many inputs to go through, or let real time pass. */
const LONG = [
  "test/client/calls/key-change.test.ts",
  "test/crypto/backends/sakke-batch.test.ts",
  "test/crypto/backends/sakke-exceptional.test.ts",
  "test/crypto/backends/sakke-torsion.test.ts",
  "test/crypto/zero/state-bleed.test.ts",
  "test/documents/group-xml/hostile.test.ts",
  "test/documents/signalling-xml/flips.test.ts",
  "test/mcx/signalling/private.test.ts",
  "test/mcx/signalling/processes.test.ts",
  "test/mcx/signalling/replays.test.ts",
  "test/mcx/signalling/signalling.test.ts",
  "test/mcx/signalling/web-legs.test.ts",
  "test/media/hostile.test.ts",
  "test/media/years.test.ts",
  "test/mikey/scenario/mutations.test.ts",
  "test/package/bench/counts.test.ts",
  "test/package/bench/libraries.test.ts",
  "test/package/bench/tallies.test.ts",
  "test/package/bench/timing.test.ts",
  "test/package/regular-expressions.test.ts",
  "test/sip/large-notify.test.ts",
  "test/sip/resolver.test.ts",
];

/** Paths of test files of which neither they themselves nor the helpers that they import start anything. */
function fastTests(): string[] {
  const known = new Map<string, boolean>();
  const starts = (file: string): boolean => {
    const before = known.get(file);
    if (before !== undefined) return before;
    known.set(file, false);
    const text = readFileSync(file, "utf8");
    const helpers = Array.from(text.matchAll(/from "(\.[^"]+\.ts)"/g), ([, to]) =>
      normalize(join(dirname(file), to!)),
    );
    const found = STARTS.test(text) || helpers.some((to) => to.startsWith("test/") && starts(to));
    known.set(file, found);
    return found;
  };
  return readdirSync("test", { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => join("test", name))
    .filter((file) => !LONG.includes(file) && !starts(file));
}

// The files of a worker share their modules, in which nothing changes: loading them anew took half of the time.
export default defineConfig({ test: { ...config.test, include: fastTests(), isolate: false } });
