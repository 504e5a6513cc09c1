/**
 * The page: runs the suite and leaves the report in its <output>, progress in its title. `?quick` takes fewer samples.
 */
import type { Build } from "../../bindings/core/core.ts";
import { VERSION } from "../../cli/terminal/version.ts";
import { type Report, reportRows, reportText } from "../report.ts";
import { FULL, QUICK, runSuite } from "../suite.ts";

async function run(quick: boolean): Promise<Report> {
  const kernelOf = async (build: Build) =>
    new Uint8Array(await (await fetch(`/kernel-${build}.wasm`)).arrayBuffer());
  const suite = await runSuite(kernelOf, quick ? QUICK : FULL, (text) => {
    document.title = text;
  });
  return {
    schema: 1,
    date: new Date().toISOString(),
    version: VERSION,
    quick,
    // The page cannot know more; the program that drives it fills in the processor.
    machine: { cpu: "unknown", cores: navigator.hardwareConcurrency },
    runtime: { name: "browser", version: navigator.userAgent },
    build: suite.build,
    rows: reportRows(suite.samples, {}),
    start: suite.start,
    preparedBytes: suite.preparedBytes,
    batches: suite.batches,
    workers: [],
    notes: suite.notes,
  };
}

const output = document.querySelector("output")!;
try {
  const report = await run(new URLSearchParams(location.search).has("quick"));
  document.querySelector("pre")!.textContent = reportText(report).join("\n");
  output.textContent = JSON.stringify({ report });
} catch (error) {
  output.textContent = JSON.stringify({ error: String(error) });
}
