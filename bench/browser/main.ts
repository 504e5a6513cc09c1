/**
 * `npm run bench:browser`: the same rows in Debian's Chromium. Options: --json, --quick, --out FILE; --serve leaves the page
 * to any browser instead.
 */
import { existsSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { html, octets, type Site, script, startSite } from "../../test/browser/support/site.ts";
import { bundle } from "../../test/support/bundle.ts";
import { compileAssembly } from "../compile.ts";
import { machine } from "../machine.ts";
import { type Report, reportText } from "../report.ts";

const CHROMIUM = "/usr/bin/chromium";
const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const TIMEOUT_MS = 10 * 60_000;

/** An isolated page has a clock of 5 µs; others see 100. The policy is what a page with this package needs. */
const HEADERS = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "content-security-policy": "default-src 'none'; connect-src 'self'; script-src 'self' 'wasm-unsafe-eval'",
};

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    serve: { type: "boolean", default: false },
    out: { type: "string" },
  },
});

async function site(): Promise<Site> {
  const { text } = await bundle({ page: "bench/browser/page.ts" });
  const kernel = async (build: "fma" | "simd") => octets(await compileAssembly("assembly/bench.ts", build));
  const page = `<!doctype html><meta charset="utf-8"><title>bench</title><pre></pre><output></output>
<script type="module" src="/page.js"></script>`;
  return startSite(
    {
      "/": html(page),
      "/page.js": script(text.page!),
      "/kernel-fma.wasm": await kernel("fma"),
      "/kernel-simd.wasm": await kernel("simd"),
      "/favicon.ico": octets(""),
    },
    () => HEADERS,
  );
}

async function measure(origin: string): Promise<Report> {
  const browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: ARGS });
  try {
    const page = await browser.newPage();
    page.on("pageerror", (error) => process.stderr.write(`${error}\n`));
    await page.goto(`${origin}/${values.quick ? "?quick" : ""}`);
    const output = page.locator("output:not(:empty)");
    await output.waitFor({ state: "attached", timeout: TIMEOUT_MS });
    const { report, error } = JSON.parse((await output.textContent()) ?? "{}") as {
      report?: Report;
      error?: string;
    };
    if (report === undefined) throw new Error(error);
    return { ...report, machine: machine(), runtime: { name: "chromium", version: browser.version() } };
  } finally {
    await browser.close();
  }
}

if (!values.serve && !existsSync(CHROMIUM)) {
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
