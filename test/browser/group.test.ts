/** A page as a member of a group: it gets a GMK from our GMS over SIP on a WebSocket, and has it after a reload. */

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { formatKeyId, toHex } from "../../bindings/index.ts";
import { operator } from "../../roles/gms/common/caller.ts";
import { gmsAudience } from "../../roles/gms/common/config.ts";
import { createGms, type Gms } from "../../roles/gms/create.ts";
import { type ProvisionedKeys, provisionGms } from "../../roles/gms/identity.ts";
import { DevelopmentIssuer } from "../../roles/server/development-tokens.ts";
import { GmsStore } from "../../store/gms/gms-store.ts";
import { ALICE, GMS, KMS_URI, NOW, sharedCore, World } from "../kms/running-kms.ts";
import { bundle } from "../support/bundle.ts";
import type { GroupReport } from "./pages/group.ts";
import { describeInChromium, launchChromium } from "./support/chromium.ts";
import { html, octets, type Site, script, startSite } from "./support/site.ts";

const GROUP = "sip:fire-1@example.org";

describeInChromium("a page that is a member of a group", () => {
  let browser: Browser;
  let site: Site;
  let kms: World;
  let kmsUrl: string;
  let issuer: DevelopmentIssuer;
  let keys: ProvisionedKeys;
  let gms: Gms;
  let gmsUrl: string;
  let page: Page;

  beforeAll(async () => {
    const { text } = await bundle({ group: "test/browser/pages/group.ts" });
    const files = {
      "/": html(`<!doctype html><meta charset="utf-8"><script type="module" src="/group.js"></script>`),
      "/favicon.ico": octets(""),
      "/group.js": script(text.group!),
    };
    site = await startSite(files, () => ({
      "content-security-policy": `default-src 'none'; connect-src ${kmsUrl} ${gmsUrl}; script-src 'self' 'wasm-unsafe-eval'`,
    }));
    kms = await World.create({ urls: [], browserOrigins: [site.origin] });
    kmsUrl = (await kms.kms.listen()).url;
    issuer = await DevelopmentIssuer.create([gmsAudience(GMS)]);
    const config = {
      gmsUri: GMS,
      kmsUri: KMS_URI,
      kmsUrl,
      listen: { port: 0 },
      admin: { port: 0 },
      sip: { wsPort: 0, origins: [site.origin] },
    };
    const start = Date.now();
    const now = () => NOW + Date.now() - start;
    const store = GmsStore.open(kms.db, kms.envelope, { now });
    const core = await sharedCore();
    const token = () => kms.token(GMS);
    keys = await provisionGms({ config, store, core, fetch, token, now: () => kms.now });
    gms = await createGms({ config, store, core, keys, developmentIssuer: issuer, now });
    gmsUrl = (await gms.listen()).sip.ws!;
    browser = await launchChromium();
    page = await (await browser.newContext()).newPage();
  });

  afterAll(async () => {
    await browser?.close();
    await gms?.close();
    await keys?.close();
    await site?.close();
    await kms?.close();
  });

  /** Returns what the page reports once it is loaded, which has the database of the visits before. */
  async function visit(more: Readonly<Record<string, string>> = {}): Promise<GroupReport> {
    const own = { user: ALICE, kmsUri: KMS_URI, group: GROUP, at: String(NOW) };
    const query = new URLSearchParams({ ...own, ...more });
    await page.goto(`${site.origin}/?${query}`);
    return JSON.parse((await page.locator("output").textContent({ timeout: 30_000 })) ?? "");
  }

  const connected = async () => ({
    kms: kmsUrl,
    kmsToken: await kms.token(ALICE),
    gms: gmsUrl,
    gmsUri: GMS,
    gmsToken: await issuer.token({ userUri: ALICE, now: NOW }),
  });

  it("provisions, subscribes, stores the GMK, and has it after a reload without a request", async () => {
    const { rekeys } = await gms.admin.createGroup(operator("operator"), {
      uri: GROUP,
      members: [{ uri: ALICE }],
    });
    const [rekey] = rekeys;
    const first = await visit(await connected());
    expect(first.error).toBeUndefined();
    const gmkId = formatKeyId(rekey!.gmkId);
    expect(first).toMatchObject({ gmkId, state: "active", outcome: "stored", inClear: false });
    const { key } = await gms.context.store.change(async (tx) => (await tx.gmkSecret(rekey!.gmk))!);
    expect(first.key).toBe(toHex(key));
    expect(first.records!.filter((name) => name.startsWith("group-key/"))).toHaveLength(1);
    expect(await gms.admin.rekeyStatus(rekey!.id)).toMatchObject({
      state: "done",
      counts: { acknowledged: 1 },
    });

    const again = await visit();
    expect(again).toMatchObject({ gmkId, key: first.key, state: "active", posts: 0 });
    expect(again).not.toHaveProperty("outcome");

    const back = await visit(await connected());
    expect(back.error).toBeUndefined();
    expect(back).toMatchObject({ gmkId, key: first.key, outcome: "known" });
  });

  it("gets the next GMK, and loses it when it is revoked", async () => {
    const rekey = await gms.admin.rekey(operator("operator"), GROUP, { text: "second" });
    const next = await visit(await connected());
    expect(next.error).toBeUndefined();
    expect(next).toMatchObject({ gmkId: formatKeyId(rekey.gmkId), text: "second", outcome: "stored" });
    await gms.admin.revokeGmk(operator("operator"), rekey.gmkId);
    const revoked = await visit(await connected());
    expect(revoked.error).toBeUndefined();
    expect(revoked.outcome).toBe("revoked");
    // Only the GMK before it is left.
    expect(revoked).toMatchObject({ text: "", state: "active" });
    expect(revoked.gmkId).not.toBe(next.gmkId);
  });
});
