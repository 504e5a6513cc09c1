/** Descriptors that the operating system leaves a server, as it says at the start. */
import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";

const MODULE = new URL("../../cli/server/descriptors.ts", import.meta.url).href;

/** Returns what is logged in a process that may have so many. */
function logged(descriptors: number, connections: number): unknown[] {
  const code = `import { warnOfFewDescriptors } from ${JSON.stringify(MODULE)};
    const log = { warn: (...facts) => console.log(JSON.stringify(facts)) };
    warnOfFewDescriptors(${connections}, log);`;
  const args = ["--import", "tsx", "--input-type=module", "-e", code];
  const run = spawnSync(
    "bash",
    ["-c", `ulimit -n ${descriptors}; exec "$0" "$@"`, process.execPath, ...args],
    {
      encoding: "utf8",
    },
  );
  expect(run.stderr).toBe("");
  return run.stdout === "" ? [] : (JSON.parse(run.stdout) as unknown[]);
}

it("warns where the descriptors of the process are fewer than its connections need", () => {
  expect(logged(512, 1000)).toEqual([
    { limit: 512, connections: 1000, needed: 1256 },
    expect.stringContaining("limits.connections"),
  ]);
  expect(logged(512, 256)).toEqual([]);
});
