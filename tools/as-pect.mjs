// Runs the specs of assembly/ with as-pect, in both builds, and closes each with one line of counts. as-pect's own command
// does not take options of Node, and Node 20 has relaxed SIMD only behind one.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const cli = createRequire(import.meta.url).resolve("@as-pect/cli");
const node20 = process.versions.node.startsWith("20.");

for (const build of ["fma", "simd"]) run(build);

function run(build) {
  const { status, stdout } = spawnSync(
    process.execPath,
    [
      ...(node20 ? ["--experimental-wasm-relaxed-simd"] : []),
      join(dirname(cli), "test.js"),
      ...["--as-config", `assembly/__tests__/${build}.json`],
      ...process.argv.slice(2),
    ],
    {
      cwd: root,
      stdio: ["ignore", "pipe", "inherit"],
      encoding: "utf8",
      env: { ...process.env, FORCE_COLOR: "0" },
    },
  );
  console.log(`The ${build} build`);
  // Without the logo.
  process.stdout.write(stdout.slice(Math.max(stdout.indexOf("Using config"), 0)));

  const [, passed, total] = /\[Tests\]: (\d+) \/ (\d+)/.exec(stdout) ?? [];
  if (total === undefined) {
    console.log("as-pect: did not run to the end");
    process.exitCode = 1;
    return;
  }
  // A group that breaks off before its tests counts as one failure.
  const failed = Math.max(total - passed, status === 0 && total > 0 ? 0 : 1);
  console.log(`as-pect: ${passed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}
