/** The push-to-talk page for who cannot point or see well: all of it by keyboard, and no violation to axe in any of its looks. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { OPERATOR } from "../../../cli/gms/with-admin.ts";
import { axeViolations } from "../support/axe.ts";
import { describeInChromium } from "../support/chromium.ts";
import { tabTo } from "../support/keyboard.ts";
import { ALICE, BOB, floorText, joined, type MemberPage, openPages, type Pages } from "./support/pages.ts";

const HARBOUR = "sip:harbour@example.org";
const LOOKS = {
  light: { colorScheme: "light", viewport: { width: 1000, height: 720 } },
  dark: { colorScheme: "dark", viewport: { width: 1000, height: 720 } },
  "light on a phone": { colorScheme: "light", viewport: { width: 390, height: 844 } },
  "dark on a phone": { colorScheme: "dark", viewport: { width: 390, height: 844 } },
} as const;

describeInChromium("the push-to-talk page", () => {
  let pages: Pages;
  let bob: MemberPage;
  let page: Page;

  beforeAll(async () => {
    pages = await openPages();
    await pages.servers.operate((admin) =>
      admin.createGroup(OPERATOR, { uri: HARBOUR, members: [ALICE, BOB].map((uri) => ({ uri })) }),
    );
    bob = await pages.member(BOB);
    await bob.page.getByRole("button", { name: /^harbour/ }).click();
    await joined(bob.page);
    page = await (await pages.browser.newContext()).newPage();
    await page.goto(pages.servers.site.origin);
    await page.getByRole("button", { name: "Join" }).waitFor();
  });
  afterAll(() => pages?.close());

  const nobodyTalks = () => floorText(bob.page).getByText("Nobody talks.").waitFor();
  const aliceTalks = () => floorText(bob.page).getByText("alice talks.").waitFor();

  async function isClean(): Promise<void> {
    for (const [look, { colorScheme, viewport }] of Object.entries(LOOKS)) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize(viewport);
      expect(await axeViolations(page), look).toEqual([]);
      const overhang = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(overhang, `${look}: wider than the window`).toBeLessThanOrEqual(0);
    }
  }

  it("has no violation to axe before and after one joins, in any look, and while one talks", async () => {
    await isClean();
    const { page: other } = await pages.member(ALICE);
    const own = page;
    page = other;
    await joined(page);
    await isClean();
    await page.keyboard.down("Space");
    await floorText(page).getByText("Everybody hears you.").waitFor();
    await isClean();
    await page.keyboard.up("Space");
    await page.context().close();
    page = own;
  });

  it("is used by keyboard alone, from the sign-in to the end", async () => {
    const { keyboard } = page;
    await tabTo(page, "Your identity");
    await keyboard.type(ALICE);
    await tabTo(page, "Join");
    await keyboard.press("Enter");
    await page.getByRole("button", { name: /^harbour/ }).waitFor();
    await joined(page);

    await tabTo(page, "harbourquiet");
    await keyboard.press("Enter");
    await page.getByRole("heading", { name: "harbour", level: 1 }).waitFor();
    await joined(page);

    await tabTo(page, "Hold to talk");
    await keyboard.down("Space");
    await floorText(page).getByText("Everybody hears you.").waitFor();
    await aliceTalks();
    await keyboard.up("Space");
    await nobodyTalks();

    await tabTo(page, "Message");
    await keyboard.type("two boats at the pier");
    await keyboard.press("Enter");
    await bob.page.getByText("two boats at the pier").waitFor();

    await tabTo(page, "Mute");
    await keyboard.press("Enter");
    await page.getByRole("button", { name: "Unmute", pressed: true }).waitFor();
    await tabTo(page, "Volume");
    await keyboard.press("ArrowLeft");
    await expect(page.getByRole("slider", { name: "Volume" }).inputValue()).resolves.toBe("95");

    await tabTo(page, "Key to talk: Space");
    await keyboard.press("Enter");
    await keyboard.press("KeyT");
    await page.getByRole("button", { name: "Key to talk: KeyT" }).waitFor();
    // The key talks wherever it has no meaning of its own.
    await tabTo(page, "Messages of the group", "Shift+Tab");
    await keyboard.down("KeyT");
    await aliceTalks();
    await keyboard.up("KeyT");
    await nobodyTalks();

    await tabTo(page, "Leave");
    await keyboard.press("Enter");
    await page.getByRole("button", { name: "Join" }).waitFor();
    await expect
      .poll(() => bob.page.locator(".present li").allInnerTexts(), { timeout: 20_000 })
      .toEqual(["bob (you)"]);
  });
});
