/** The push-to-talk page: two of them in Chromium and a third member on UDP, from the first visit to the removal of one. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { G711_FRAME } from "../../../bindings/media/index.ts";
import { shareOf } from "../../../cli/call/tone.ts";
import { readWav } from "../../../cli/call/wav.ts";
import { OPERATOR } from "../../../cli/gms/with-admin.ts";
import { GROUP } from "../../../web/play/servers.ts";
import { startCli } from "../../cli/run-cli.ts";
import { describeInChromium } from "../support/chromium.ts";
import {
  ALICE,
  BOB,
  CAROL,
  figuresOf,
  floorText,
  joined,
  type MemberPage,
  openPages,
  type Pages,
  TONE,
  talkButton,
} from "./support/pages.ts";

/** From the making of a key to its use. */
const ACTIVATION_MS = 5000;

describeInChromium("two pages and a member on UDP", () => {
  let pages: Pages;
  let alice: MemberPage;
  let bob: MemberPage;

  beforeAll(async () => {
    pages = await openPages();
    [alice, bob] = await Promise.all([pages.member(ALICE), pages.member(BOB)]);
    await Promise.all([joined(alice.page), joined(bob.page)]);
  });
  afterAll(() => pages?.close());

  /** The tone is what is played there. */
  async function hears(page: Page): Promise<void> {
    await expect
      .poll(() => figuresOf(page), { timeout: 60_000 })
      .toMatchObject({
        loudest: { hertz: expect.closeTo(TONE, -1), above: expect.toSatisfy((above) => above > 20) },
      });
  }

  it("show no violation to axe, and the state of the key in words", async () => {
    const source = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
    for (const { page } of [alice, bob]) {
      await page.evaluate(source);
      const { violations } = await page.evaluate(() =>
        (globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string }[] }> } }).axe.run(),
      );
      expect(violations.map(({ id }) => id)).toEqual([]);
      await expect(page.locator(".keys").innerText()).resolves.toContain("from sip:gms@gms.localhost");
    }
  });

  it("hear each other and are heard, one at a time, through a change of the key", async () => {
    const out = join(pages.folder, "heard.wav");
    const local = ["--local", pages.servers.folder, "--user", CAROL, "--out", out, "--json"];
    const listening = startCli(["listen", GROUP, ...local]);
    await listening.shows('"event":"listening"');

    await alice.page.keyboard.down("Space");
    await hears(bob.page);
    expect(await floorText(bob.page).innerText()).toBe("alice talks.");

    // Who presses meanwhile waits.
    await talkButton(bob.page).hover();
    await bob.page.mouse.down();
    await floorText(bob.page).getByText("In the queue").waitFor();
    await bob.page.mouse.up();
    await floorText(bob.page).getByText("alice talks.").waitFor();

    const keyBefore = await bob.page.locator(".keys code").innerText();
    // Active when all have it, as `policy.activationDelay` has it for good.
    const activation = Date.now() + ACTIVATION_MS;
    await pages.servers.operate((admin) => admin.rekey(OPERATOR, GROUP, { activation }));
    for (const { page } of [alice, bob]) {
      await expect
        .poll(() => page.locator(".keys code").innerText(), { timeout: 60_000 })
        .not.toBe(keyBefore);
    }
    await hears(bob.page);
    await alice.page.keyboard.up("Space");
    await floorText(bob.page).getByText("Nobody talks.").waitFor();
    // Both keys are held by both: none of the packets was refused.
    expect((await figuresOf(bob.page)).counts).toMatchObject({ refused: 0 });

    await talkButton(bob.page).hover();
    await bob.page.mouse.down();
    await hears(alice.page);
    await bob.page.mouse.up();
    await floorText(alice.page).getByText("Nobody talks.").waitFor();

    listening.kill("SIGTERM");
    const { status, stderr } = await listening.ended;
    expect(status, stderr).toBe(0);
    const played = framesOf(readWav(await readFile(out), out)).filter(isLoud);
    const pure = played.filter((frame) => shareOf(TONE, frame) > 0.9);
    // Frames at the begin and at the end of a talk are half silent, or between two phases.
    expect(pure.length, `of ${played.length}`).toBeGreaterThan(0.5 * played.length);
    expect(pure.length).toBeGreaterThan(0);
  });

  it("show who is in the call, and who of them talks", async () => {
    const present = (page: Page) => page.locator(".present li").allInnerTexts();
    const shown = { timeout: 20_000 };
    await expect
      .poll(() => present(alice.page).then((all) => all.sort()), shown)
      .toEqual(["alice (you)", "bob"]);
    await bob.page.keyboard.down("Space");
    await alice.page.locator(".present .talks").getByText("bob talks").waitFor();
    await bob.page.locator(".present .talks").getByText("bob (you) talks").waitFor();
    await bob.page.keyboard.up("Space");
    await floorText(alice.page).getByText("Nobody talks.").waitFor();
    await expect
      .poll(() => present(bob.page).then((all) => all.sort()), shown)
      .toEqual(["alice", "bob (you)"]);
  });

  it("make an emergency of a talk, which takes the floor and is shown to the others", async () => {
    await alice.page.keyboard.down("Space");
    await floorText(bob.page).getByText("alice talks.").waitFor();
    await bob.page.getByRole("button", { name: "Emergency: hold to talk" }).focus();
    await bob.page.keyboard.down("Enter");
    await floorText(alice.page).getByText("Emergency. bob talks.").waitFor();
    await hears(alice.page);
    await bob.page.keyboard.up("Enter");
    await alice.page.keyboard.up("Space");
    await floorText(alice.page).getByText("Nobody talks.").waitFor();
  });

  it("play as loud as the user wants, at the next visit too", async () => {
    const volume = alice.page.getByRole("slider", { name: "Volume" });
    await volume.focus();
    for (let n = 0; n < 10; n++) await alice.page.keyboard.press("ArrowLeft");
    await expect(volume.inputValue()).resolves.toBe("50");
    await alice.page.reload();
    await alice.page.getByRole("button", { name: "Join" }).click();
    await joined(alice.page);
    await expect(volume.inputValue()).resolves.toBe("50");
  });

  it("show text messages, also those written before the connection was up", async () => {
    await alice.page.getByLabel("Message", { exact: true }).fill("units to the north gate");
    await alice.page.getByRole("button", { name: "Send" }).click();
    await bob.page.getByText("units to the north gate").waitFor();
    await bob.page.reload();
    await bob.page.getByRole("button", { name: "Join" }).click();
    await bob.page.getByText("units to the north gate").waitFor();
    await joined(bob.page);
  });

  it("load the other build of the core where the browser lacks support for the first", async () => {
    const context = await pages.browser.newContext();
    const taken: string[] = [];
    await context.route("**/*.wasm", (route) => {
      const name = new URL(route.request().url()).pathname;
      taken.push(name);
      const isFma = name === "/fma.wasm";
      return isFma ? route.fulfill({ body: "an instruction of the future" }) : route.continue();
    });
    const page = await context.newPage();
    await page.goto(`${pages.servers.site.origin}/?user=${encodeURIComponent(CAROL)}`);
    await page.getByRole("button", { name: "Join" }).click();
    await joined(page);
    await context.close();
    expect(taken).toEqual(["/fma.wasm", "/simd.wasm"]);
  });

  it("give the floor back when the window loses the focus", async () => {
    await talkButton(alice.page).focus();
    await alice.page.keyboard.down("Enter");
    await floorText(alice.page).getByText("Everybody hears you.").waitFor();
    await alice.page.evaluate(() => dispatchEvent(new Event("blur")));
    await floorText(alice.page).getByText("Nobody talks.").waitFor();
    await alice.page.keyboard.up("Enter");
  });

  it("stop hearing when removed from the group, and say so", async () => {
    await pages.servers.operate((admin) => admin.removeMembers(OPERATOR, GROUP, [BOB]));
    await bob.page.getByText(`You are no longer a member of ${GROUP}`).waitFor();
    const before = await figuresOf(bob.page);
    await joined(alice.page);
    await alice.page.keyboard.down("Space");
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await alice.page.keyboard.up("Space");
    expect((await figuresOf(bob.page)).counts!.received).toBe(before.counts!.received);
  });

  it("broke no rule of the policy, and logged no error", () => {
    expect([...alice.faults, ...bob.faults]).toEqual([]);
  });
});

function framesOf(samples: Int16Array): Int16Array[] {
  const count = Math.floor(samples.length / G711_FRAME);
  return Array.from({ length: count }, (_, n) => samples.subarray(n * G711_FRAME, (n + 1) * G711_FRAME));
}

/** The browser takes a steady tone for noise and makes it soft. */
const isLoud = (frame: Int16Array) => frame.some((sample) => Math.abs(sample) > 200);
