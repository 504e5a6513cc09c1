/** A page gets its keys from a KMS and keeps them in IndexedDB. */
import type { Browser, BrowserContext } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { toHex } from "../../base/bytes.ts";
import { ALICE, BOB, KMS_URI, NOW, PERIOD, World } from "../kms/running-kms.ts";
import { bundle } from "../support/bundle.ts";
import type { ClientReport } from "./pages/client.ts";
import { describeInChromium, launchChromium } from "./support/chromium.ts";
import { html, octets, type Site, script, startSite } from "./support/site.ts";

describeInChromium("a page with its own user keys", () => {
  let browser: Browser;
  let site: Site;
  let world: World;
  let kms: string;
  let profile: BrowserContext;

  beforeAll(async () => {
    const { text } = await bundle({ client: "test/browser/pages/client.ts" });
    const files = {
      "/": html(`<!doctype html><meta charset="utf-8"><script type="module" src="/client.js"></script>`),
      "/favicon.ico": octets(""),
      "/client.js": script(text.client!),
    };
    site = await startSite(files, () => ({
      "content-security-policy": `default-src 'none'; connect-src ${kms}; script-src 'self' 'wasm-unsafe-eval'`,
    }));
    world = await World.create({ urls: [], browserOrigins: [site.origin] });
    kms = (await world.kms.listen()).url;
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser?.close();
    await site?.close();
    await world?.close();
  });

  beforeEach(async () => {
    profile = await browser.newContext();
    return () => profile.close();
  });

  async function visit(keys: Readonly<Record<string, string>> = {}): Promise<ClientReport> {
    const page = await profile.newPage();
    try {
      const token = await world.token(ALICE);
      const query = new URLSearchParams({
        kms,
        kmsUri: KMS_URI,
        user: ALICE,
        token,
        at: String(NOW),
        ...keys,
      });
      await page.goto(`${site.origin}/?${query}`);
      return JSON.parse((await page.locator("output").textContent({ timeout: 30_000 })) ?? "");
    } finally {
      await page.close();
    }
  }

  it("is provisioned, with nothing stored in clear", async () => {
    const report = await visit();
    expect(report.error).toBeUndefined();
    expect(report).toMatchObject({
      periods: [PERIOD, PERIOD + 1],
      initiator: ALICE,
      rejected: 0,
      extractable: false,
      inClear: false,
    });
    expect(report.requests).toContain(`keyprov/${encodeURIComponent(ALICE)}`);
    expect(report.names!.filter((name) => name.startsWith("key-set/"))).toHaveLength(2);
  });

  it("signs and unwraps with TrK and InK", async () => {
    const made = await world.kms.admin.newTransportKeys(BOB, { kinds: ["TrK", "InK"] });
    const keys = Object.fromEntries(
      made.map(({ kind, id, key }) => [kind.toLowerCase(), `${id} ${toHex(key)}`]),
    );
    const report = await visit({ ...keys, user: BOB, token: await world.token(BOB) });
    expect(report.error).toBeUndefined();
    expect(report).toMatchObject({ periods: [PERIOD, PERIOD + 1], initiator: BOB, rejected: 0 });
    expect(report.signed).toBe(report.requests!.length);
  });

  it("finds its keys when it is opened again, and asks for none", async () => {
    await visit();
    const again = await visit();
    expect(again.error).toBeUndefined();
    expect(again.periods).toEqual([PERIOD, PERIOD + 1]);
    expect(again.requests!.filter((path) => path.startsWith("keyprov"))).toEqual([]);
  });

  it("shares its keys with other tabs, also when both are the first", async () => {
    const tabs = await Promise.all([visit(), visit(), visit()]);
    for (const { error, periods, rejected } of [...tabs, await visit()]) {
      expect(error).toBeUndefined();
      expect(periods).toEqual([PERIOD, PERIOD + 1]);
      expect(rejected).toBe(0);
    }
  });
});
