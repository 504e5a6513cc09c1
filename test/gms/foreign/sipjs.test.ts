/**
 * SIP.js in a page uploads a CSK that wolfSSL made, subscribes over WebSocket, hears of a key and of its revocation, and fetches
 * the key over HTTP; wolfSSL opens it.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { toHex } from "../../../base/bytes.ts";
import { CHROMIUM, launchChromium } from "../../browser/support/chromium.ts";
import { html, octets, type Site, script, startSite } from "../../browser/support/site.ts";
import { MCX, McxWorld, tokenOf, until } from "../../mcx/signalling/mcx-server.ts";
import { bundle } from "../../support/bundle.ts";
import { describeWithAll } from "../../support/foreign.ts";
import { memberUri, newMembers } from "../memory-gms.ts";
import { GROUP, HOST, OPERATOR, type RunningGms, startGms } from "./running-gms.ts";
import { WOLFSSL, WolfsslClient } from "./wolfssl.ts";

const MEMBER = memberUri(0);
const COLLECTION = `org.3gpp.MCPTT-GKTP/users/${encodeURIComponent(MEMBER)}/`;
const LIST =
  `<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list>` +
  `<entry uri="${COLLECTION}"/></list></resource-lists>`;

describeWithAll({ chromium: CHROMIUM, ...WOLFSSL }, "SIP.js in a page", () => {
  let browser: Browser;
  let site: Site;
  let running: RunningGms;
  let mcx: McxWorld;
  let page: Page;
  let wolfssl: WolfsslClient;

  beforeAll(async () => {
    const { text } = await bundle({ sipjs: "test/browser/pages/sipjs.ts" });
    const files = {
      "/": html(`<!doctype html><meta charset="utf-8"><script type="module" src="/sipjs.js"></script>`),
      "/favicon.ico": octets(""),
      "/sipjs.js": script(text.sipjs!),
    };
    site = await startSite(files, () => ({}));
    running = await startGms({
      config: {
        browserOrigins: [site.origin],
        sip: { host: HOST, wsPort: 0, origins: [site.origin] },
      },
    });
    mcx = await McxWorld.create({ sip: { udpPort: 0, tcpPort: 0, wsPort: 0 } });
    wolfssl = new WolfsslClient(running.world);
    browser = await launchChromium();
    page = await browser.newPage();
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
    await running?.close();
    await mcx?.close();
    wolfssl?.remove();
  });

  const heard = () => page.evaluate(() => globalThis.heard);
  const count = async () => {
    expect(await page.evaluate(() => globalThis.failed)).toBeUndefined();
    return (await heard()).length;
  };

  it("uploads a CSK that wolfSSL made", async () => {
    await page.goto(`${site.origin}/?${new URLSearchParams({ user: MEMBER })}`);
    const file = join(wolfssl.folder, "csk");
    const { cskId, csk } = wolfssl.seal(MEMBER, MCX, file);
    await page.evaluate(
      ([server, uri, token, mikey]) => globalThis.upload(server!, uri!, token!, mikey!),
      [`ws://${HOST}:${mcx.wsPort}/`, MCX, tokenOf(MEMBER), readFileSync(file).toString("base64")],
    );
    await until(() => mcx.clients.of(MEMBER).length > 0);
    const held = mcx.clients.of(MEMBER)[0]!.sending()!;
    expect(held.keyId.toString(16)).toBe(cskId);
    expect(toHex(held.reveal())).toBe(csk);
  });

  it("subscribes, is notified, fetches its key, and hears that it is revoked", async () => {
    const { admin } = running.gms;
    const created = await admin.createGroup(OPERATOR, { uri: GROUP, members: newMembers(2) });
    await running.sealed();
    const token = await running.token(MEMBER);
    const query = new URLSearchParams({
      user: MEMBER,
      server: `ws://${HOST}:${running.ws}/`,
      gms: `sip:gms@${HOST}`,
      token,
      list: LIST,
    });
    await page.goto(`${site.origin}/?${query}`);
    await expect.poll(count, { timeout: 20_000 }).toBe(1);
    const [first] = await heard();
    expect(first).toMatchObject({
      event: expect.stringMatching(/^xcap-diff/),
      contentType: "application/xcap-diff+xml",
    });
    const [, selector] = /sel="([^"]+)"/.exec(first!.body) ?? [];
    expect(selector).toContain(COLLECTION);
    const answer = await page.evaluate(
      async ([url, bearer]) => {
        const response = await fetch(url!, { headers: { authorization: `Bearer ${bearer}` } });
        return { status: response.status, text: await response.text() };
      },
      [`${running.xcapUrl}/${selector}`, token],
    );
    expect(answer.status).toBe(200);
    const [, message] = /GKTP [^>]*>(011A[0-9A-F]+)</.exec(answer.text) ?? [];
    const [gmk] = await admin.gmks(GROUP);
    const { gmkId } = wolfssl.open(MEMBER, message!);
    expect(gmkId).toBe(gmk!.gmkId);

    const stateOf = async (rekey: number) => (await admin.deliveries(rekey, { limit: 1 }))[0]?.state;
    expect(await stateOf(created.rekeys[0]!.id)).toBe("delivered");
    const revocation = await admin.revokeGmk(OPERATOR, gmk!.gmkId);
    await expect.poll(count).toBe(2);
    expect((await heard())[1]!.contentType).toMatch(/^multipart\/mixed/);
    await expect.poll(() => stateOf(revocation.id)).toBe("acknowledged");
    await page.evaluate(() => globalThis.leave());
    const left = async () => (await fetch(`${running.adminUrl}/metrics`)).text();
    await expect.poll(left, { timeout: 10_000 }).toMatch(/^gms_subscriptions 0$/m);
  });
});
