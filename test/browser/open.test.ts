/** The production message of another vendor, opened in a browser under a Content-Security-Policy. */
import { readFileSync } from "node:fs";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { bundle } from "../support/bundle.ts";
import type { Report } from "./pages/main.ts";
import { describeInChromium, launchChromium } from "./support/chromium.ts";
import { html, octets, type Site, script, startSite } from "./support/site.ts";

const CSP = (scripts: string) => `default-src 'none'; connect-src 'self'; script-src ${scripts}`;
const POLICIES: Record<string, string> = {
  "/allowed": CSP("'self' 'wasm-unsafe-eval'"),
  "/strict": CSP("'self'"),
};

const vector = (name: string) => readFileSync(new URL(`../vectors/${name}`, import.meta.url));

describeInChromium("a page that loads the core", () => {
  let browser: Browser;
  let site: Site;

  beforeAll(async () => {
    const { text } = await bundle({
      main: "test/browser/pages/main.ts",
      open: "test/browser/pages/open.ts",
    });
    const page = html(`<!doctype html><meta charset="utf-8"><script type="module" src="/main.js"></script>`);
    const files = {
      "/allowed": page,
      "/strict": page,
      "/favicon.ico": octets(""),
      "/main.js": script(text.main!),
      "/open.js": script(text.open!),
      "/kms.xml": octets(vector("production-gmk.cert.xml")),
      "/keys.xml": octets(vector("production-gmk.alice.xml")),
      "/message": octets(vector("production-gmk.mikey")),
    };
    site = await startSite(files, (path) =>
      POLICIES[path] === undefined ? {} : { "content-security-policy": POLICIES[path] },
    );
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  async function visit(path: string, build: string): Promise<Report> {
    const page = await browser.newPage();
    try {
      const query = new URLSearchParams({ build, from: "gms@streamwide.com", at: "2025-10-02T23:48:00Z" });
      await page.goto(`${site.origin}${path}?${query}`);
      const report = await page.locator("output").textContent({ timeout: 30_000 });
      return JSON.parse(report ?? "");
    } finally {
      await page.close();
    }
  }

  it.each(["fma", "simd"])("opens the message with the %s build", async (build) => {
    const report = await visit("/allowed", build);
    expect(report.error).toBeUndefined();
    expect(report.result).toEqual({
      build,
      outcome: "accepted",
      kind: "GMK",
      gmkId: "0df9bc39",
      gukId: "06a12aea",
      initiator: "gms@streamwide.com",
    });
    expect(report.atImport).toEqual({ wasmCalls: [], violations: [] });
    expect(report.atEnd.wasmCalls).toContain("compile");
    expect(report.atEnd.violations).toEqual([]);
  });

  it.each(["fma", "simd"])("names the policy without 'wasm-unsafe-eval' as the reason: %s", async (build) => {
    const report = await visit("/strict", build);
    expect(report.result).toBeUndefined();
    expect(report.error).toMatchObject({
      name: "MikeySakkeError",
      code: "NO_WASM",
      message: expect.stringContaining("script-src 'wasm-unsafe-eval'"),
    });
    expect(report.atImport).toEqual({ wasmCalls: [], violations: [] });
    expect(report.atEnd.violations).toContain("wasm-eval");
  });
});
