/**
 * `npm run bench:browser`: the same rows in Debian's Chromium. Options: --json, --quick, --out FILE; --serve leaves the page
 * to any browser instead.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { octets, type Site } from "../../test/browser/support/site.ts";
import { compileAssembly } from "../compile.ts";
import { machine } from "../machine.ts";
import { type Report, reportText } from "../report.ts";
import { benchSite, CHROMIUM, hasChromium, pageReport } from "./launch.ts";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    serve: { type: "boolean", default: false },
    out: { type: "string" },
  },
});

async function site(): Promise<Site> {
  const kernel = async (build: "fma" | "simd") => octets(await compileAssembly("assembly/bench.ts", build));
  return benchSite("bench/browser/page.ts", {
    "/kernel-fma.wasm": await kernel("fma"),
    "/kernel-simd.wasm": await kernel("simd"),
  });
}

async function measure(origin: string): Promise<Report> {
  const { report, version } = await pageReport<Report>(`${origin}/${values.quick ? "?quick" : ""}`);
  return { ...report, machine: machine(), runtime: { name: "chromium", version } };
}

if (!values.serve && !hasChromium()) {
  process.stderr.write(
    `${CHROMIUM} is missing: install chromium, or use --serve and a browser of your own\n`,
  );
  process.exit(1);
}
const served = await site();
if (values.serve) {
  process.stdout.write(`${served.origin}/   (?quick for fewer samples; interrupt to end)\n`);
} else {
  const report = await measure(served.origin).finally(() => served.close());
  const json = `${JSON.stringify(report, null, 2)}\n`;
  if (values.out !== undefined) writeFileSync(values.out, json);
  process.stdout.write(values.json ? json : `${reportText(report).join("\n")}\n`);
}
