/**
 * Tests what a talk in the push-to-talk page begins and ends with: sounds, a connection that breaks, and who only
 * listens.
 */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeInChromium } from "../support/chromium.ts";
import { ALICE, BOB, CAROL, figuresOf, floorText, joined, openPages, type Pages } from "./support/pages.ts";
import { openStallingProxy, type StallingProxy } from "./support/stalls.ts";

/** Hertz of the tones of each sound, as in `sounds.ts`. */
const SOUNDS = { granted: [880, 1175], refused: [300], lost: [600, 400], emergency: [960, 770, 960, 770] };

/** Runs in the page before anything of it. */
function recordTones(): void {
  const tones: number[] = [];
  Object.assign(globalThis, { tones });
  const Original = OscillatorNode;
  globalThis.OscillatorNode = class extends Original {
    constructor(context: BaseAudioContext, options?: OscillatorOptions) {
      super(context, options);
      tones.push(options?.frequency ?? 0);
    }
  };
}

/** Runs in the page before anything of it: the scripts of the audio cannot be loaded the first time. */
function failOneModule(): void {
  const original = AudioWorklet.prototype.addModule;
  Object.assign(globalThis, { failures: 0 });
  AudioWorklet.prototype.addModule = async (url) => {
    AudioWorklet.prototype.addModule = original;
    await Promise.resolve();
    (globalThis as unknown as { failures: number }).failures++;
    throw new DOMException(`Unable to load ${String(url)}`, "AbortError");
  };
}

describeInChromium("a talk in the push-to-talk page", () => {
  let pages: Pages;
  let proxy: StallingProxy;
  let alice: Page;
  let bob: Page;

  beforeAll(async () => {
    pages = await openPages({
      init: recordTones,
      detour: async (port) => {
        proxy = await openStallingProxy(port);
        return proxy;
      },
    });
    [alice, bob] = (await Promise.all([ALICE, BOB].map(async (user) => (await pages.member(user)).page))) as [
      Page,
      Page,
    ];
    await Promise.all([joined(alice), joined(bob)]);
  });
  afterAll(() => pages?.close());

  /** Returns the frequencies of the tones since it was last asked. */
  const tonesOf = (page: Page) =>
    page.evaluate(() => (globalThis as unknown as { tones: number[] }).tones.splice(0));
  const nobodyTalks = (page: Page) => floorText(page).getByText("Nobody talks.").waitFor();
  const talks = (page: Page) => floorText(page).getByText("Everybody hears you.").waitFor();

  it("sounds when it is granted, refused and taken away, and when somebody has an emergency", async () => {
    await alice.keyboard.down("Space");
    await talks(alice);
    expect(await tonesOf(alice)).toEqual(SOUNDS.granted);
    await floorText(bob).getByText("alice talks.").waitFor();
    await bob.keyboard.down("Space");
    await bob.getByText("Refused by fire: alice is talking").waitFor();
    await bob.keyboard.up("Space");
    expect(await tonesOf(bob)).toEqual(SOUNDS.refused);
    await bob.getByRole("button", { name: "Emergency: hold to talk" }).focus();
    await bob.keyboard.down("Enter");
    await talks(bob);
    expect(await tonesOf(bob)).toEqual(SOUNDS.granted);
    await floorText(alice).getByText("Emergency. bob talks.").waitFor();
    expect(await tonesOf(alice)).toEqual([...SOUNDS.lost, ...SOUNDS.emergency]);
    await bob.keyboard.up("Enter");
    await alice.keyboard.up("Space");
    await nobodyTalks(alice);
  });

  it("ends when the connection of its media breaks, with a sound, and the next one is heard", async () => {
    await bob.evaluate(() => (document.activeElement as HTMLElement).blur());
    await alice.keyboard.down("Space");
    await talks(alice);
    await tonesOf(alice);
    proxy.cut();
    await alice.getByText("The connection to fire was lost").waitFor();
    await nobodyTalks(alice);
    expect(await tonesOf(alice)).toEqual(SOUNDS.lost);
    await alice.keyboard.up("Space");
    const before = (await figuresOf(bob)).counts!.received;
    await expect
      .poll(
        async () => {
          await alice.keyboard.up("Space");
          await alice.keyboard.down("Space");
          return (await figuresOf(bob)).counts!.received;
        },
        { timeout: 60_000, interval: 2000 },
      )
      .toBeGreaterThan(before);
    await alice.keyboard.up("Space");
    await nobodyTalks(alice);
  });

  it("is told of only as long as that holds: the floor while it is there, a refusal for some seconds", async () => {
    const says = (page: Page) => page.locator("main > .notice").innerText();
    await alice.keyboard.down("Space");
    await talks(alice);
    expect(await says(alice)).toMatch(/^You have the floor/);
    await floorText(bob).getByText("alice talks.").waitFor();
    await bob.keyboard.down("Space");
    await bob.getByText("Refused by fire: alice is talking").waitFor();
    await bob.keyboard.up("Space");
    await expect.poll(() => says(bob), { timeout: 20_000 }).toBe("");
    expect(await floorText(bob).innerText()).toBe("alice talks.");
    await bob.keyboard.down("Space");
    await bob.getByText("Refused by fire: alice is talking").waitFor();
    await bob.keyboard.up("Space");
    await alice.keyboard.up("Space");
    await nobodyTalks(alice);
    expect(await says(alice)).toBe("");
    await nobodyTalks(bob);
    expect(await says(bob)).toBe("");
  });

  it("is heard by who has chosen to listen only, and not begun by them", async () => {
    const page = await (await pages.browser.newContext()).newPage();
    await page.goto(`${pages.servers.site.origin}/?user=${encodeURIComponent(CAROL)}`);
    await page.getByLabel("Listen only, without a microphone").check();
    await page.getByRole("button", { name: "Join" }).click();
    await floorText(page).getByText("You listen only.").waitFor();
    await page.locator(".hold").and(page.locator('[aria-disabled="true"]')).waitFor();
    await page.locator(".present").getByText("carol (you)").waitFor({ timeout: 60_000 });
    await page.keyboard.down("Space");
    await page.keyboard.up("Space");
    await alice.keyboard.down("Space");
    await talks(alice);
    await expect
      .poll(async () => (await figuresOf(page)).counts!.played, { timeout: 60_000 })
      .toBeGreaterThan(0);
    await alice.keyboard.up("Space");
    expect((await figuresOf(page)).counts!.sent).toBe(0);
    await page.close();
  });

  it("is possible when the scripts of the audio could not be loaded with the page", async () => {
    const page = await (await pages.browser.newContext()).newPage();
    await page.addInitScript(failOneModule);
    await page.goto(`${pages.servers.site.origin}/?user=${encodeURIComponent(CAROL)}`);
    await page.waitForFunction(() => (globalThis as unknown as { failures: number }).failures > 0);
    await page.getByRole("button", { name: "Join" }).click();
    await joined(page);
    await expect
      .poll(
        async () => {
          await page.keyboard.up("Space");
          await page.keyboard.down("Space");
          return (await figuresOf(page)).counts!.sent;
        },
        { timeout: 60_000, interval: 2000 },
      )
      .toBeGreaterThan(0);
    await page.keyboard.up("Space");
  });
});
