/** The console without a pointer, in Chromium: from the sign-in through every view, and the loss of a radio. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { operator } from "../../../roles/gms/common/caller.ts";
import { newMembers } from "../../gms/memory-gms.ts";
import { type ConsoleWorld, codeOf, consoleWorld, GROUP } from "../../server/console/running-console.ts";
import { violationsInAllWays } from "../support/axe.ts";
import { describeInChromium, launchChromium } from "../support/chromium.ts";
import { focusedName, tabTo } from "../support/keyboard.ts";
import { buildPages } from "./support/build.ts";

const USER = "sip:ann@home.example";
const VIEWS = ["Groups", "Users", "KMS", "Calls", "Call history", "Audit log", "Servers"];
/** The controls that a person can operate. */
const CONTROLS = "a[href], button:not(:disabled), input, select, textarea, summary, .scroll";

describeInChromium("the console by keyboard", () => {
  let here: ConsoleWorld;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    buildPages();
    here = await consoleWorld({ runs: true });
    const members = [...newMembers(2), { uri: USER }];
    await here.core.context.admin.createGroup(operator("test"), { uri: GROUP, members });
    await here.kms.enrol([USER]);
    const call = here.callLog.begin(GROUP);
    call.attended(3);
    call.talking([USER]);
    call.end();
    browser = await launchChromium();
    page = await (await browser.newContext()).newPage();
    await page.goto(here.origin);
    await page.getByRole("button", { name: "Sign in" }).waitFor();
  });
  afterAll(async () => {
    await browser?.close();
    await here?.close();
  });

  /**
   * Returns the visible controls that Tab does not come to on its way once round the page. What the page asks its server
   * for may bring controls during the walk, which then begins again.
   */
  async function unreached(): Promise<string[]> {
    for (;;) {
      const count = await page.locator(CONTROLS).count();
      await page.evaluate(() => {
        (document.activeElement as HTMLElement | null)?.blur();
        for (const one of document.querySelectorAll("[data-reached]")) one.removeAttribute("data-reached");
      });
      for (let n = 0; n < count + 2; n++) {
        await page.keyboard.press("Tab");
        await page.evaluate(() => document.activeElement?.setAttribute("data-reached", ""));
      }
      const after = await page.evaluate((controls) => {
        const all = [...document.querySelectorAll<HTMLElement>(controls)];
        const missed = all.filter((one) => one.checkVisibility() && !one.hasAttribute("data-reached"));
        return { count: all.length, missed: missed.map((one) => one.outerHTML.slice(0, 100)) };
      }, CONTROLS);
      if (after.count === count) return after.missed;
    }
  }

  it("signs in with a typed code", async () => {
    expect(await violationsInAllWays(page)).toEqual([]);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.type(codeOf(here.console.link()));
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Groups" }).waitFor();
  });

  it.each(VIEWS)("reaches %s and every control of it", async (name) => {
    await tabTo(page, name);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name, level: 1 }).waitFor();
    await expect
      .poll(() => page.evaluate(() => document.querySelector("nav [aria-current]")?.textContent))
      .toBe(name);
    expect(await unreached()).toEqual([]);
    expect(await violationsInAllWays(page)).toEqual([]);
  });

  it("opens a group, reaches every control of it, and shuts out a lost radio", async () => {
    await tabTo(page, "Groups");
    await page.keyboard.press("Enter");
    await page.getByRole("list", { name: "Groups" }).waitFor();
    await page.keyboard.press("Tab");
    for (let n = 0; n < 80 && !(await focusedName(page)).startsWith(GROUP); n++)
      await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByRole("row", { name: new RegExp(USER) }).waitFor();
    expect(await unreached()).toEqual([]);
    await tabTo(page, `Radio lost: ${USER}`);
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await tabTo(page, "Radio lost");
    await page.keyboard.press("Enter");
    await page.getByRole("article", { name: `Lost radio of ${USER}` }).waitFor();
    expect((await here.kms.user(USER))?.revokedAt).toBeDefined();
    expect(await unreached()).toEqual([]);
    expect(await violationsInAllWays(page)).toEqual([]);
  });
});
