/** The pool on Web Workers: with memory shared in an isolated page, and without in any other. */
import { readFileSync } from "node:fs";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { bundle } from "../support/bundle.ts";
import type { PoolReport } from "./pages/pool.ts";
import { describeInChromium, launchChromium } from "./support/chromium.ts";
import { html, octets, type Site, script, startSite } from "./support/site.ts";

const vector = (name: string) => readFileSync(new URL(`../vectors/${name}`, import.meta.url));

const CSP = "default-src 'none'; connect-src 'self'; worker-src 'self'; script-src 'self' 'wasm-unsafe-eval'";
const ISOLATED = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

describeInChromium("a pool in a page", () => {
  let browser: Browser;
  let site: Site;

  beforeAll(async () => {
    const { text } = await bundle({
      page: "test/browser/pages/pool.ts",
      worker: "bindings/pool/worker.ts",
    });
    const files = {
      "": html(`<!doctype html><meta charset="utf-8"><script type="module" src="page.js"></script>`),
      "page.js": script(text.page!),
      // Beside the bundle, where the pool looks for it.
      "worker.js": script(text.worker!),
      "kms.xml": octets(vector("production-gmk.cert.xml")),
      "gms.xml": octets(vector("production-gmk.gms.xml")),
      "keys.xml": octets(vector("production-gmk.alice.xml")),
    };
    const under = (folder: string) =>
      Object.fromEntries(Object.entries(files).map(([name, file]) => [`/${folder}/${name}`, file]));
    const all = { "/favicon.ico": octets(""), ...under("isolated"), ...under("plain") };
    site = await startSite(all, (path) => ({
      "content-security-policy": CSP,
      ...(path.startsWith("/isolated/") ? ISOLATED : {}),
    }));
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  it.each([
    ["isolated", true],
    ["plain", false],
  ])("%s: seals to a group, shared memory %s", async (folder, shared) => {
    const page = await browser.newPage();
    try {
      await page.goto(`${site.origin}/${folder}/?at=2025-10-02T23:48:00Z`);
      const report: PoolReport = JSON.parse((await page.getByText(/^\{/).textContent()) ?? "");
      expect(report).toEqual({ isolated: shared, shared, workers: 2, sealed: 40, sameKey: true });
    } finally {
      await page.close();
    }
  });
});
