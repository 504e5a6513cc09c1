/** Debian's Chromium for benchmarks: a page that writes what it found into its `output`. */
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";
import { html, octets, type Site, script, startSite } from "../../test/browser/support/site.ts";
import { bundle } from "../../test/support/bundle.ts";

export const CHROMIUM = "/usr/bin/chromium";
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

export function hasChromium(): boolean {
  return existsSync(CHROMIUM);
}

/** A site with one page, which runs that source, and whatever else it fetches. */
export async function benchSite(source: string, files: Parameters<typeof startSite>[0] = {}): Promise<Site> {
  const { text } = await bundle({ page: source });
  const page = `<!doctype html><meta charset="utf-8"><title>bench</title><pre></pre><output></output>
<script type="module" src="/page.js"></script>`;
  return startSite(
    { "/": html(page), "/page.js": script(text.page!), "/favicon.ico": octets(""), ...files },
    () => HEADERS,
  );
}

/** Returns what the page at that URL reports, and the version of the browser. */
export async function pageReport<T>(url: string): Promise<{ report: T; version: string }> {
  const browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: ARGS });
  try {
    const page = await browser.newPage();
    page.on("pageerror", (error) => process.stderr.write(`${error}\n`));
    await page.goto(url);
    const output = page.locator("output:not(:empty)");
    await output.waitFor({ state: "attached", timeout: TIMEOUT_MS });
    const { report, error } = JSON.parse((await output.textContent()) ?? "{}") as {
      report?: T;
      error?: string;
    };
    if (report === undefined) throw new Error(error);
    return { report, version: browser.version() };
  } finally {
    await browser.close();
  }
}
