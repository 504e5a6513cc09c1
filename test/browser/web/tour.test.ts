/** The tour of an empty system in Chromium, by keyboard: a first group, and the addresses of two pages to talk in. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type ConsoleWorld, consoleWorld } from "../../server/console/running-console.ts";
import { violationsInAllWays } from "../support/axe.ts";
import { describeInChromium, launchChromium } from "../support/chromium.ts";
import { buildPages } from "./support/build.ts";

const TALK_PAGE = "http://127.0.0.1:9";

describeInChromium("the tour of the console", () => {
  let here: ConsoleWorld;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    buildPages();
    here = await consoleWorld({ runs: true, config: { talkPage: TALK_PAGE } });
    browser = await launchChromium();
    page = await (await browser.newContext()).newPage();
    await page.goto(here.console.link());
  });
  afterAll(async () => {
    await browser?.close();
    await here?.close();
  });

  const tour = () => page.getByRole("region", { name: "Tour" });

  async function isClean(): Promise<void> {
    expect(await violationsInAllWays(page)).toEqual([]);
  }

  it("makes a first group of two members", async () => {
    await tour().getByRole("button", { name: "Make a first group" }).focus();
    await isClean();
    await page.keyboard.press("Enter");
    await tour().getByRole("link", { name: "The first group" }).waitFor();
    const members = await here.core.context.admin.members("sip:first@example.org", { limit: 9 });
    expect(members.map(({ uri }) => uri)).toEqual(["sip:alice@example.org", "sip:bob@example.org"]);
    await isClean();
  });

  it("names a test page for each member", async () => {
    const addresses = await tour()
      .getByRole("link", { name: /^Test page of/ })
      .evaluateAll((links) => links.map((link) => (link as HTMLAnchorElement).href));
    expect(addresses).toEqual([
      `${TALK_PAGE}/?user=sip%3Aalice%40example.org`,
      `${TALK_PAGE}/?user=sip%3Abob%40example.org`,
    ]);
  });

  it("ends when the operator says so, and does not come back", async () => {
    await tour().getByRole("button", { name: "End the tour" }).click();
    await tour().waitFor({ state: "detached" });
    await page.reload();
    await page.getByRole("link", { name: /First group/ }).waitFor();
    expect(await tour().count()).toBe(0);
  });
});
